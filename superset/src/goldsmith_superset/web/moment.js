// Makes all charts of an open dashboard read the same table versions, and shows their time.
(() => {
  "use strict";

  const HEADER = "X-Lakehouse-Moment";
  const POLL = 30_000;
  const SETTLED = 3_000;
  const ROUND = 5_000;
  const BUSY = 503;
  const PATIENCE = 90_000;
  const DASHBOARD = /\/superset\/dashboard\/([^/]+)\/?$/;
  const DATA = /\/api\/v1\/chart\/(?:data(?:\?|$)|\d+\/data\/)|\/superset\/explore_json\/|\/datasource\/samples/;
  const NONE = { moment: "", as_of: null };

  const fetched = window.fetch.bind(window);
  // The open dashboard: its name, the look-up of its versions, and the versions requested for each chart.
  let page = null;
  let newer = false;
  let settling = 0;

  async function look(name, fresh) {
    try {
      const answer = await fetched(`/moment/${name}${fresh ? "?fresh=1" : ""}`, { credentials: "same-origin" });
      return answer.ok ? await answer.json() : NONE;
    } catch (error) {
      console.warn("The look-up of the page's versions failed.", error);
      return NONE;
    }
  }

  function opened() {
    const name = DASHBOARD.exec(location.pathname)?.[1] ?? null;
    if (name !== (page?.name ?? null)) {
      page = name === null ? null : { name, found: NONE, charts: new Map(), round: new Set(), forced: 0 };
      newer = false;
      if (page !== null) take(page, false);
      show();
    }
    return page;
  }

  function take(open, fresh) {
    open.asked = look(open.name, fresh).then(found => {
      // An unreachable server does not change what the page shows.
      if (found.moment !== "" || open.found === NONE) open.found = found;
      if (page === open) {
        newer = false;
        show();
      }
      return open.found;
    });
    return open.asked;
  }

  function bodyOf(options) {
    try {
      return typeof options?.body === "string" ? JSON.parse(options.body) : {};
    } catch {
      return {};
    }
  }

  // A refresh of the page forces its charts one by one, some seconds apart. The first one loads new versions for all.
  function refresh(open, chart) {
    const now = Date.now();
    if (open.round.has(chart) || now - open.forced > ROUND) {
      open.round.clear();
      take(open, true);
    }
    open.round.add(chart);
    open.forced = now;
  }

  async function momentOf(open, url, options) {
    const body = bodyOf(options);
    const chart = body.form_data?.slice_id ?? options?.body ?? url;
    if (body.force === true || /[?&]force=(?:true|1)\b/.test(url)) refresh(open, chart);
    const { moment } = await open.asked;
    open.charts.set(chart, moment);
    clearTimeout(settling);
    settling = setTimeout(show, SETTLED);
    return moment;
  }

  // While too many charts load, the server refuses further ones at once.
  async function patiently(resource, options) {
    const until = Date.now() + PATIENCE;
    for (let pause = 500; ; pause = Math.min(2 * pause, 4_000)) {
      const answer = await fetched(resource instanceof Request ? resource.clone() : resource, options);
      if (answer.status !== BUSY || Date.now() + pause > until) return answer;
      await new Promise(done => setTimeout(done, pause * (0.5 + Math.random())));
    }
  }

  window.fetch = async (resource, options) => {
    const open = opened();
    const url = resource instanceof Request ? resource.url : String(resource);
    if (open === null || !DATA.test(url)) return fetched(resource, options);
    const moment = await momentOf(open, url, options);
    if (moment === "") return patiently(resource, options);
    const headers = new Headers(options?.headers ?? (resource instanceof Request ? resource.headers : undefined));
    headers.set(HEADER, moment);
    return patiently(resource, { ...options, headers });
  };

  async function poll() {
    const open = opened();
    if (open === null || document.visibilityState !== "visible") return;
    await open.asked;
    const shown = open.found.moment;
    const found = await look(open.name, false);
    if (page !== open || shown !== open.found.moment || shown === "" || found.moment === "") return;
    newer = found.moment !== shown;
    show();
  }

  function element(tag, text, title) {
    const made = document.createElement(tag);
    made.textContent = text;
    made.title = title;
    return made;
  }

  const label = element("div", "", "");
  label.id = "lakehouse-moment";
  label.setAttribute("role", "status");

  function show() {
    const asOf = page?.found.as_of ?? null;
    label.replaceChildren();
    if (asOf === null) return label.remove();
    const date = new Date(asOf);
    const short = date.toLocaleString("en-GB", {
      day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
    });
    const long = date.toLocaleString("en-GB", { dateStyle: "full", timeStyle: "long" });
    label.append(element("span", `As of ${short}`, `The newest load of this page's tables: ${long}`));
    const mixed = [...page.charts.values()].some(moment => moment !== page.found.moment);
    if (newer || mixed) {
      const title = newer ? "Newer data is available." : "Some charts of this page show older data.";
      const link = element("a", newer ? "Newer data: reload" : "Older charts: reload", title);
      link.href = location.href;
      link.addEventListener("click", event => {
        event.preventDefault();
        location.reload();
      });
      label.append(link);
    }
    place();
  }

  // Superset redraws its header repeatedly. On a phone there is space only below it.
  const narrow = matchMedia("(max-width: 767px)");
  function place() {
    const header = document.querySelector(".header-with-actions");
    if (header === null || page === null || label.firstChild === null) return;
    const buttons = header.querySelector(":scope > .right-button-panel");
    if (narrow.matches || buttons === null) {
      if (label.previousSibling !== header) header.after(label);
    } else if (label.nextSibling !== buttons) {
      buttons.before(label);
    }
  }
  narrow.addEventListener("change", place);

  const style = document.createElement("style");
  style.textContent = `
    #lakehouse-moment { display: flex; flex-wrap: wrap; gap: 4px 12px; font-size: 12px; color: #475569; background: #fff; }
    #lakehouse-moment a { font-weight: 600; color: #0369a1; text-decoration: underline; }
    .header-with-actions > #lakehouse-moment { margin-left: auto; padding: 0 16px; white-space: nowrap; }
    .header-with-actions + #lakehouse-moment { padding: 0 16px 8px; }
    @media (max-width: 767px) { .header-with-actions [data-test="metadata-bar"] { display: none; } }
  `;
  document.head.append(style);

  document.addEventListener("DOMContentLoaded", () => {
    let drawn = 0;
    new MutationObserver(() => {
      cancelAnimationFrame(drawn);
      drawn = requestAnimationFrame(() => {
        opened();
        place();
      });
    }).observe(document.body, { childList: true, subtree: true });
  });
  document.addEventListener("visibilitychange", poll);
  setInterval(poll, POLL);
  opened();
})();
