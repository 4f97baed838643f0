"""The newest quarantined rows as JSON, by delta-rs and without a JVM where that gives Spark's text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from goldsmith.engine.delta.delta_rs import TABLE, NeedsSpark, query
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.engine.delta.valid_entries import ENTERED, ENTERED_AS, FIELD, valid_entries
from goldsmith.project.tables import Table
from goldsmith.run.context import Run

_ESCAPED = re.compile(r"\\u00[01][0-9a-f]")


@dataclass(frozen=True)
class QuarantineEntry:
    """A quarantined row. row: the original row as JSON with exact numbers."""

    reasons: tuple[str, ...]
    held_at: datetime
    run_id: str
    row: str


def newest_entries(run: Run, table: Table, limit: int) -> tuple[QuarantineEntry, ...]:
    """A table's quarantined rows, the newest first. Raises NeedsSpark if a value has a type that Spark prints otherwise."""
    path = run.quarantine_path(table.name)
    log = TableLog(path)
    if log.version() == NO_TABLE:
        return ()
    columns = log.types()
    if ENTERED_AS not in columns or ENTERED not in columns:
        raise NeedsSpark(f"entries of {table.name} have their rows as JSON only")
    valid = valid_entries(TableLog(run.path(table.name)).counter())
    found = query(
        path,
        f"SELECT reasons, held_at, run_id, {ENTERED}, {ENTERED_AS} FROM {TABLE} WHERE {valid} "
        f"ORDER BY held_at DESC, id LIMIT {limit}",
    )
    return tuple(
        QuarantineEntry(tuple(row["reasons"]), row["held_at"], row["run_id"], _row(row)) for row in found
    )


def _row(entry: Mapping[str, Any]) -> str:
    """The row as Spark's `to_json` writes it: without NULLs."""
    if entry[ENTERED_AS] is None:
        raise NeedsSpark("an entry has its row as JSON only")
    values = entry[ENTERED] or {}
    parts = []
    for column in json.loads(entry[ENTERED_AS])["fields"]:
        value = values.get(column["metadata"].get(FIELD))
        if value is not None:
            parts.append(f"{_text(column['name'])}:{_json(value, column['type'])}")
    return "{" + ",".join(parts) + "}"


def _json(value: Any, kind: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case Decimal():
            return str(value)
        case str():
            return _text(value)
        case datetime():
            zone = "Z" if kind == "timestamp" else ""
            return f'"{value.replace(tzinfo=None).isoformat(timespec="microseconds")}{zone}"'
        case date():
            return f'"{value.isoformat()}"'
        case _:
            raise NeedsSpark(f"a quarantined value has the type {kind}")


def _text(value: str) -> str:
    """Text in JSON as Java's library writes it."""
    return _ESCAPED.sub(lambda found: "\\u" + found[0][2:].upper(), json.dumps(value, ensure_ascii=False))
