"""Resolves a profile on this machine: environment variables and absolute paths."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goldsmith.errors import DeclarationError, NotReady, Where
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
    env = os.environ if environment is None else environment
    file = root / "goldsmith.yaml"

    def value(found: re.Match[str]) -> str:
        variable, default = found.groups()
        # As in a shell, the default also replaces an empty variable.
        text = env.get(variable, "") if default is not None else env.get(variable)
        if text is None:
            raise NotReady(
                "GS904",
                f"The profile `{name}` needs the environment variable {variable}, which is not set.",
                where=Where(file=file),
                hint=f"Set it, or declare a default: `${{{variable}:-...}}`.",
            )
        return text or default or ""

    def filled(item: Any) -> Any:
        if isinstance(item, str):
            return _VARIABLE.sub(value, item)
        return {key: filled(inner) for key, inner in item.items()} if isinstance(item, dict) else item

    found = ProfileSpec.model_validate(filled(profile.model_dump()))
    places = {key: _place(getattr(found, key), key, root, file) for key in ("landing", "warehouse")}
    folder = found.spark.conf_dir
    spark = found.spark.model_copy(update={"conf_dir": str((root / folder).resolve()) if folder else None})
    return found.model_copy(update={**places, "spark": spark})


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
