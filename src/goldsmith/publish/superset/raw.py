"""Raw assets: Superset's own YAML, validated and passed through.

A pipeline's `dashboards/raw/charts/*.yaml` and `dashboards/raw/dashboards/*.yaml` have Superset's export format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from goldsmith.errors import DeclarationError, DeclarationErrors
from goldsmith.project.documents import Document, read_document
from goldsmith.project.hints import hint_for
from goldsmith.project.pipelines import Project

RAW = "raw"
FOLDERS = ("charts", "dashboards")
_NEEDED = {
    "charts": ("slice_name", "viz_type", "params", "uuid", "version", "dataset_uuid"),
    "dashboards": ("dashboard_title", "position", "metadata", "uuid", "version"),
}
_UUIDS = ("uuid", "dataset_uuid")


@dataclass(frozen=True)
class RawAsset:
    """A raw file. path: its path among the assets."""

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
    """All raw files of a project.

    known: UUIDs of the declared datasets. taken: UUIDs of generated assets, with their declarations. is_ours: whether a
    UUID belongs to this project.

    Raises DeclarationErrors GS724 for files that Superset would refuse, or that a later push could not remove.
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
                errors = list(_errors(folder, document, known, taken, is_ours))
                problems += errors
                if not errors:
                    within = file.relative_to(pipeline.folder / "dashboards" / RAW / folder).as_posix()
                    found.append(RawAsset(f"{folder}/{RAW}/{pipeline.name}/{within}", document))
                    taken = {**taken, str(document.data["uuid"]): str(file)}
    charts = {asset.uuid for asset in found if asset.path.startswith("charts/")} | taken.keys()
    for asset in found:
        problems += _charts(asset, charts)
    if problems:
        raise DeclarationErrors(problems)
    return found


def _errors(
    folder: str, document: Document, known: set[str], taken: dict[str, str], is_ours: Callable[[str], bool]
) -> Iterator[DeclarationError]:
    data = document.data
    for key in _NEEDED[folder]:
        if key not in data:
            hint = "Export the file from Superset, or use `goldsmith superset pull`."
            yield DeclarationError("GS724", f"The key `{key}` is missing.", where=document.where(), hint=hint)
    for key in _UUIDS:
        if key in data and not _is_uuid(data[key]):
            yield DeclarationError("GS724", f"`{key}` is not a UUID.", where=document.where((key,)))
    uuid, of = str(data.get("uuid")), str(data.get("dataset_uuid"))
    if uuid in taken:
        message = f"The UUID is already declared: {taken[uuid]}."
        hint = "Remove the short form or the raw file."
        yield DeclarationError("GS724", message, where=document.where(("uuid",)), hint=hint)
    elif _is_uuid(uuid) and not is_ours(uuid):
        message = "The UUID is not one of this project, so a later push could not remove the asset."
        hint = "Use `goldsmith superset pull`, which assigns a UUID of this project."
        yield DeclarationError("GS724", message, where=document.where(("uuid",)), hint=hint)
    if "dataset_uuid" in data and _is_uuid(of) and of not in known:
        hint = "Use the UUID of a dataset in superset/assets/datasets."
        message = "The chart reads a dataset that is not declared."
        yield DeclarationError("GS724", message, where=document.where(("dataset_uuid",)), hint=hint)


def _charts(asset: RawAsset, charts: set[str]) -> Iterator[DeclarationError]:
    position = asset.data.get("position")
    for name, part in (position if isinstance(position, dict) else {}).items():
        uuid = part.get("meta", {}).get("uuid") if isinstance(part, dict) else None
        if uuid is not None and str(uuid) not in charts:
            where = asset.document.where(("position", name, "meta", "uuid"))
            hint = hint_for(str(uuid), charts) if len(charts) == 1 else "Pull the dashboard again."
            yield DeclarationError("GS724", "The dashboard shows an unknown chart.", where=where, hint=hint)


def _is_uuid(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
