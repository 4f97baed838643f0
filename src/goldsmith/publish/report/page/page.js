"use strict";
const tip = document.getElementById("tip");
const all = (selector, from = document) => [...from.querySelectorAll(selector)];

function tooltip(area, share) {
  if (area.dataset.v !== undefined) {
    const values = area.dataset.v.split("|");
    const labels = area.closest("[data-labels]").dataset.labels.split("|");
    const index = Math.min(values.length - 1, Math.floor(share * values.length));
    return [labels[index], values[index]];
  }
  const labels = JSON.parse(area.dataset.x);
  const places = area.dataset.at ? JSON.parse(area.dataset.at) : null;
  const near = (best, place, index) => Math.abs(place - share * 1000) < Math.abs(places[best] - share * 1000) ? index : best;
  const index = places ? places.reduce(near, 0) : Math.min(labels.length - 1, Math.floor(share * labels.length));
  const lines = JSON.parse(area.dataset.s).map(([name, values]) => name ? `${name}: ${values[index]}` : values[index]);
  return [labels[index], ...lines];
}

for (const area of all("[data-v], [data-x]")) {
  const drawing = area.querySelector("svg");
  area.addEventListener("pointermove", (event) => {
    const box = drawing.getBoundingClientRect();
    const share = Math.min(0.9999, Math.max(0, (event.clientX - box.left) / box.width));
    const [head, ...lines] = tooltip(area, share);
    const title = document.createElement("b");
    title.textContent = head;
    tip.replaceChildren(title, ...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })));
    tip.hidden = false;
    const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    const above = event.clientY + 18 + tip.offsetHeight > innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${above ? event.clientY - tip.offsetHeight - 12 : event.clientY + 18}px`;
  });
  area.addEventListener("pointerleave", () => { tip.hidden = true; });
}

for (const box of all(".box")) {
  const light = (on) => all(".edge").forEach((edge) => edge.classList.toggle(
    "lit", on && [edge.dataset.from, edge.dataset.to].includes(box.dataset.table)));
  for (const name of ["pointerenter", "focus"]) box.addEventListener(name, () => light(true));
  for (const name of ["pointerleave", "blur"]) box.addEventListener(name, () => light(false));
}

const search = document.querySelector(".filter input");
function filter() {
  const bad = document.querySelector('.filter [aria-pressed="true"]').dataset.show === "bad";
  const text = search.value.trim().toLowerCase();
  const boxes = all(".exp-box");
  for (const box of boxes) box.hidden = (bad && box.dataset.bad !== "1") || !box.dataset.text.includes(text);
  document.querySelector(".nothing").hidden = boxes.some((box) => !box.hidden);
}
if (search) {
  search.addEventListener("input", filter);
  for (const button of all(".filter button")) button.addEventListener("click", () => {
    for (const one of all(".filter button")) one.setAttribute("aria-pressed", String(one === button));
    filter();
  });
}

for (const box of all(".latest")) box.scrollLeft = box.scrollWidth;
addEventListener("beforeprint", () => all("details:not([open])").forEach((one) => { one.open = true; one.dataset.shut = ""; }));
addEventListener("afterprint", () => all("details[data-shut]").forEach((one) => { one.open = false; delete one.dataset.shut; }));
