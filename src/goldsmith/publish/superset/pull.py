"""Brings a dashboard that was made or edited in Superset back into files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from goldsmith.errors import DeclarationError, GoldsmithError, Where
from goldsmith.project.hints import hint_for
from goldsmith.project.tables import Project
from goldsmith.publish.superset.assets import as_yaml
from goldsmith.publish.superset.client import Client
from goldsmith.publish.superset.names import Names, slug
from goldsmith.publish.superset.raw import RAW

_HEAD = "# Pulled from Superset by `goldsmith pull superset`.\n"


def pull(client: Client, project: Project, name: str, pipeline: str, *, replace: bool = False) -> list[Path]:
    """Writes a dashboard and its charts as raw files of a pipeline. Returns the files, those removed too.

    name: the last part of its address, or its title. replace: whether a dashboard of the short form makes way.
    Raises DeclarationError GS108 for a pipeline that is not there, GS726 for a dashboard that is not, or where a
    short form stands in the way, or where a chart reads what no table declares.
    """
    if pipeline not in project.pipelines:
        hint = hint_for(pipeline, project.pipelines)
        raise DeclarationError("GS108", f"There is no pipeline `{pipeline}`.", hint=hint)
    held = _find(client, name)
    names = Names(project.spec.name)
    short = next(
        (d for d in project.dashboards.values() if names.uuid("dashboard", d.name) == held["uuid"]), None
    )
    if short is not None and not replace:
        raise GoldsmithError(
            "GS726",
            f"`{short.name}` is declared in the short form, and what is pulled would stand beside it.",
            where=short.where(),
            hint="Make the change there; or let the pulled files take its place: `--replace`.",
        )
    stem = slug(str(held.get("slug") or held["dashboard_title"]))
    texts = _named(client.export("dashboard", [held["id"]]), stem, names)
    folder = project.pipelines[pipeline].folder / "dashboards" / RAW
    written = []
    for path, text in texts.items():
        file = folder / path
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            written.append(file)
    for file in sorted((folder / "charts" / stem).glob("*.yaml")):
        if file.relative_to(folder).as_posix() not in texts:
            file.unlink()
            written.append(file)
    if short is not None:
        short.file.unlink()
        written.append(short.file)
    return written


def _find(client: Client, name: str) -> Mapping[str, Any]:
    held = client.all("dashboard", ("id", "uuid", "slug", "dashboard_title"))
    for key in ("slug", "dashboard_title"):
        matches: list[Mapping[str, Any]] = [each for each in held if each.get(key) == name]
        if len(matches) == 1:
            return matches[0]
        if matches:
            told = f"Superset has {len(matches)} dashboards called `{name}`."
            hint = "Give the one that is meant an address (slug) in its properties."
            raise GoldsmithError("GS726", told, where=Where(file=client.server.url), hint=hint)
    known = [str(each.get("slug") or each["dashboard_title"]) for each in held]
    told = f"Superset has no dashboard `{name}`."
    raise GoldsmithError("GS726", told, where=Where(file=client.server.url), hint=hint_for(name, known))


def _named(exported: Mapping[str, str], stem: str, names: Names) -> dict[str, str]:
    """The export's charts and dashboard, under UUIDs of this project and names that stay."""
    loaded = {path: yaml.safe_load(text) for path, text in exported.items()}
    datasets = {each["uuid"]: each for path, each in loaded.items() if path.startswith("datasets/")}
    uuids: dict[str, str] = {}
    for path, each in loaded.items():
        if path.startswith("charts/") and not names.is_ours(each["uuid"]):
            uuids[each["uuid"]] = names.uuid("chart", stem, RAW, each["slice_name"], each["uuid"])
        if path.startswith("dashboards/") and not names.is_ours(each["uuid"]):
            uuids[each["uuid"]] = names.uuid("dashboard", RAW, stem)
    found: dict[str, str] = {}
    for path, each in sorted(loaded.items()):
        if path.startswith("charts/"):
            of = datasets.get(each["dataset_uuid"], {})
            if not names.is_ours(each["dataset_uuid"]):
                told = f"The chart `{each['slice_name']}` reads `{of.get('table_name')}`, which no table declares."
                hint = "Make it a gold table, and let the chart read that."
                raise GoldsmithError("GS726", told, hint=hint)
            name, at = slug(each["slice_name"]), each["uuid"][:4]
            place = f"charts/{stem}/{name}.yaml"
            found[place if place not in found else f"charts/{stem}/{name}_{at}.yaml"] = _text(each, uuids)
        elif path.startswith("dashboards/"):
            each["slug"] = each.get("slug") or stem
            found[f"dashboards/{stem}.yaml"] = _text(each, uuids)
    return found


def _text(data: Mapping[str, Any], uuids: Mapping[str, str]) -> str:
    text = as_yaml(data, _HEAD)
    for old, new in uuids.items():
        text = text.replace(old, new)
    return text
