"""The checks that the user home has for a table, read from its file alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from goldsmith.errors import DeclarationError, Where
from goldsmith.publish.dqops.names import FOLDER, table_path
from goldsmith.yaml_text import parsed


def declared_checks(root: Path, table: str) -> int:
    """The number of daily checks in a table's file, which a run must reach. Raises as `checks_in_home`."""
    return len(checks_in_home(root, table))


def checks_in_home(root: Path, table: str) -> tuple[str, ...]:
    """The names of the daily checks in a table's file in the user home, once per column.

    Raises DeclarationError GS712 if the file is missing or cannot be read.
    """
    file = root / FOLDER / table_path(table)
    try:
        spec = parsed(file.read_text(encoding="utf-8"))["spec"]
        parts = [spec, *(spec.get("columns") or {}).values()]
        return tuple(name for part in parts for name in _enabled(part or {}))
    except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise DeclarationError(
            "GS712",
            f"DQOps' user home has no readable file for `{table}`: {error}.",
            where=Where(file=file, table=table),
            hint="Generate it: `goldsmith dqops generate`.",
        ) from error


def _enabled(part: dict[str, Any]) -> Iterator[str]:
    for checks in ((part.get("monitoring_checks") or {}).get("daily") or {}).values():
        for name, check in (checks or {}).items():
            if not (check or {}).get("disabled"):
                yield name
