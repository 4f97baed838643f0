"""Which checks the user home declares for a table, read from its file: no server and no declaration is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from goldsmith.errors import DeclarationError, Where
from goldsmith.publish.dqops.names import FOLDER, table_path


def declared_checks(root: Path, table: str) -> int:
    """How many daily checks a table's file in the user home has: as many must run. Raises as `checks_at_home`."""
    return len(checks_at_home(root, table))


def checks_at_home(root: Path, table: str) -> tuple[str, ...]:
    """The daily checks that a table's file in the user home has, by name: one for each column that it stands for.

    Raises DeclarationError GS712 where there is no such file, or none that can be read.
    """
    file = root / FOLDER / table_path(table)
    try:
        spec = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]
        places = [spec, *(spec.get("columns") or {}).values()]
        return tuple(name for held in places for name in _enabled(held or {}))
    except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise DeclarationError(
            "GS712",
            f"DQOps' user home has no file for `{table}` that can be read: {error}.",
            where=Where(file=file, table=table),
            hint="Write it: `goldsmith dqops generate`.",
        ) from error


def _enabled(held: dict[str, Any]) -> Iterator[str]:
    for checks in ((held.get("monitoring_checks") or {}).get("daily") or {}).values():
        for name, check in (checks or {}).items():
            if not (check or {}).get("disabled"):
                yield name
