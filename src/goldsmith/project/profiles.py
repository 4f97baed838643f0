"""Resolves a profile on this machine: environment variables and absolute paths."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goldsmith.errors import DeclarationError, NotReady, Where
from goldsmith.project.connections import SQLITE, ConnectionSpec
from goldsmith.project.hints import hint_for
from goldsmith.project.models import ProfileSpec, ProjectSpec

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def chosen_profile(spec: ProjectSpec, name: str | None, root: Path) -> ProfileSpec:
    """A profile by name, by default the project's, after `resolved`. Raises DeclarationError GS108 too."""
    return resolved(declared_profile(spec, name, root), name or spec.profile, root)


def declared_profile(spec: ProjectSpec, name: str | None, root: Path) -> ProfileSpec:
    """A profile by name, as declared. Raises DeclarationError GS108 if there is none of this name."""
    wanted = name or spec.profile
    found = spec.profiles.get(wanted)
    if found is None:
        raise DeclarationError(
            "GS108",
            f"No profile `{wanted}` is declared.",
            where=Where(file=root / "goldsmith.yaml"),
            hint=hint_for(wanted, spec.profiles),
        )
    return found


def resolved(
    profile: ProfileSpec, name: str, root: Path, environment: Mapping[str, str] | None = None
) -> ProfileSpec:
    """The profile with `${NAME}` and `${NAME:-default}` replaced, and local paths made absolute from `root`.

    Raises NotReady GS904 for a variable that is not set and has no default, DeclarationError GS110 for a path
    that is neither a local folder nor on `s3a://`.
    """
    file = root / "goldsmith.yaml"
    filled = _filled(profile.model_dump(exclude={"connections"}), name, file, environment)
    # Those of a connection are only needed by the tables that read it.
    found = ProfileSpec.model_validate(filled).model_copy(update={"connections": profile.connections})
    places = {key: _place(getattr(found, key), key, root, file) for key in ("landing", "warehouse")}
    folder = found.spark.conf_dir
    spark = found.spark.model_copy(update={"conf_dir": str((root / folder).resolve()) if folder else None})
    return found.model_copy(update={**places, "spark": spark})


def resolved_connection(
    profile: ProfileSpec, name: str, root: Path, environment: Mapping[str, str] | None = None
) -> ConnectionSpec:
    """A connection of a profile with its variables replaced, and a SQLite file made absolute from `root`.

    Raises DeclarationError GS108, NotReady GS904."""
    file, declared = root / "goldsmith.yaml", profile.connections.get(name)
    if declared is None:
        raise DeclarationError(
            "GS108",
            f"The profile declares no connection `{name}`.",
            where=Where(file=file),
            hint=hint_for(name, profile.connections)
            if profile.connections
            else f"Declare it: `connections: {{{name}: {{url: ...}}}}`.",
        )
    filled = _filled(declared.model_dump(), name, file, environment)
    return ConnectionSpec.model_construct(**filled | {"url": _absolute(filled["url"], root)})


def _absolute(url: str, root: Path) -> str:
    """The address, with the file of a SQLite database absolute from `root`."""
    file = url.removeprefix(SQLITE)
    # A URI, or the database in memory, is not a path.
    if file == url or not file or file.startswith(("file:", ":")):
        return url
    return f"{SQLITE}{root.resolve() / file}"


def _filled(item: Any, name: str, file: Path, environment: Mapping[str, str] | None, key: str = "") -> Any:
    """The item with its variables replaced. name: of the profile or connection, and key: of the item, for messages."""
    env = os.environ if environment is None else environment

    def value(found: re.Match[str]) -> str:
        variable, default = found.groups()
        # As in a shell, the default also replaces an empty variable.
        text = env.get(variable, "") if default is not None else env.get(variable)
        if text is None:
            raise NotReady(
                "GS904",
                f"`{name}` in goldsmith.yaml needs the environment variable {variable}, which is not set.",
                where=Where(file=file),
                hint="Set it. A password has no default, because it is never in a file."
                if key == "password"
                else f"Set it, or declare a default: `${{{variable}:-...}}`.",
            )
        return text or default or ""

    if isinstance(item, str):
        return _VARIABLE.sub(value, item)
    if isinstance(item, dict):
        return {each: _filled(inner, name, file, environment, each) for each, inner in item.items()}
    return item


def _place(path: str, key: str, root: Path, file: Path) -> str:
    if "://" not in path:
        return str((root / path).resolve())
    scheme, _, rest = path.partition("://")
    bucket = rest.partition("/")[0]
    if scheme == "s3a" and bucket:
        return path.rstrip("/")
    hint = (
        f"Write `{key}: s3a://{rest}`."
        if scheme == "s3" and bucket
        else "Write a folder, or `s3a://bucket/folder`."
    )
    raise DeclarationError(
        "GS110",
        f"`{key}: {path}` is neither a local folder nor on s3a://.",
        where=Where(file=file),
        hint=hint,
    )
