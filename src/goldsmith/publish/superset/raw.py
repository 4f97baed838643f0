"""Superset's own YAML beside the short form: read, checked, and passed through.

A pipeline's `dashboards/raw/charts/*.yaml` and `dashboards/raw/dashboards/*.yaml` are what Superset exports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from goldsmith.errors import DeclarationError, DeclarationErrors
from goldsmith.project.documents import Document, read_document
from goldsmith.project.hints import hint_for
from goldsmith.project.tables import Project

RAW = "raw"
FOLDERS = ("charts", "dashboards")
_NEEDED = {
    "charts": ("slice_name", "viz_type", "params", "uuid", "version", "dataset_uuid"),
    "dashboards": ("dashboard_title", "position", "metadata", "uuid", "version"),
}
_UUIDS = ("uuid", "dataset_uuid")


@dataclass(frozen=True)
class RawAsset:
    """A file that is passed through. path: where it stands among the assets."""

    path: str
    document: Document

    @property
    def uuid(self) -> str:
        return str(self.document.data["uuid"])

    @property
    def data(self) -> dict[str, Any]:
        return self.document.data


def read_raw(
    project: Project, known: set[str], taken: dict[str, str], is_ours: Callable[[str], bool]
) -> list[RawAsset]:
    """Every raw file of a project. known: UUIDs of the datasets that are declared. taken: UUIDs of generated
    assets, with what declares them. is_ours: tells whether a UUID is of this project.

    Raises DeclarationErrors GS724 for what Superset would refuse, or take and never let go.
    """
    problems: list[DeclarationError] = []
    found: list[RawAsset] = []
    for pipeline in project.pipelines.values():
        for folder in FOLDERS:
            for file in sorted((pipeline.folder / "dashboards" / RAW / folder).rglob("*.yaml")):
                try:
                    document = read_document(file)
                except DeclarationError as problem:
                    problems.append(problem)
                    continue
                mistakes = list(_mistakes(folder, document, known, taken, is_ours))
                problems += mistakes
                if not mistakes:
                    within = file.relative_to(pipeline.folder / "dashboards" / RAW / folder).as_posix()
                    found.append(RawAsset(f"{folder}/{RAW}/{pipeline.name}/{within}", document))
                    taken = {**taken, str(document.data["uuid"]): str(file)}
    charts = {asset.uuid for asset in found if asset.path.startswith("charts/")} | taken.keys()
    for asset in found:
        problems += _charts(asset, charts)
    if problems:
        raise DeclarationErrors(problems)
    return found


def _mistakes(
    folder: str, document: Document, known: set[str], taken: dict[str, str], is_ours: Callable[[str], bool]
) -> Iterator[DeclarationError]:
    data = document.data
    for key in _NEEDED[folder]:
        if key not in data:
            hint = "Export it from Superset, or `goldsmith pull superset`."
            yield DeclarationError("GS724", f"The key `{key}` is missing.", where=document.where(), hint=hint)
    for key in _UUIDS:
        if key in data and not _is_uuid(data[key]):
            yield DeclarationError("GS724", f"`{key}` is no UUID.", where=document.where((key,)))
    uuid, of = str(data.get("uuid")), str(data.get("dataset_uuid"))
    if uuid in taken:
        told = f"This is declared already: {taken[uuid]}."
        hint = "Keep one of them: the short form, or the raw one."
        yield DeclarationError("GS724", told, where=document.where(("uuid",)), hint=hint)
    elif _is_uuid(uuid) and not is_ours(uuid):
        told = "Its UUID is Superset's own: once pushed, nobody could tell that it came from here."
        hint = "`goldsmith pull superset` gives it one of this project."
        yield DeclarationError("GS724", told, where=document.where(("uuid",)), hint=hint)
    if "dataset_uuid" in data and _is_uuid(of) and of not in known:
        hint = "It must be one of superset/assets/datasets."
        told = "It reads a dataset that no table declares."
        yield DeclarationError("GS724", told, where=document.where(("dataset_uuid",)), hint=hint)


def _charts(asset: RawAsset, charts: set[str]) -> Iterator[DeclarationError]:
    position = asset.data.get("position")
    for name, part in (position if isinstance(position, dict) else {}).items():
        uuid = part.get("meta", {}).get("uuid") if isinstance(part, dict) else None
        if uuid is not None and str(uuid) not in charts:
            where = asset.document.where(("position", name, "meta", "uuid"))
            hint = hint_for(str(uuid), charts) if len(charts) == 1 else "Pull the dashboard again."
            yield DeclarationError("GS724", "It shows a chart that is not here.", where=where, hint=hint)


def _is_uuid(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
