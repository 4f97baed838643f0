"""Parses a commit of a Delta table from its log file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goldsmith.engine.delta.metadata import CommitMetadata, base_in


@dataclass(frozen=True)
class Commit:
    """A commit of a Delta table.

    at: milliseconds since 1970. metadata: Goldsmith's metadata; None for commits of other programs. added, removed:
    whether it added or removed rows. added_rows: from the files' statistics; None if a file has none. base: the
    version that it was planned from, if recorded. table, protocol: the table's metadata and protocol, if the commit set
    them.
    """

    version: int
    at: int
    operation: str
    parameters: dict[str, Any]
    metrics: dict[str, int]
    metadata: CommitMetadata | None
    user_metadata: str | None
    added: bool
    removed: bool
    added_rows: int | None
    base: int | None = None
    table: Mapping[str, Any] | None = None
    protocol: Mapping[str, Any] | None = None

    @property
    def schema(self) -> str | None:
        """The table's schema as JSON, if the commit set it."""
        return self.table.get("schemaString") if self.table is not None else None


def read_commit(version: int, lines: list[str]) -> Commit:
    """Parses a commit from the lines of its log file."""
    info: dict[str, Any] = {}
    added = removed = False
    rows: int | None = 0
    table: dict[str, Any] | None = None
    protocol: dict[str, Any] | None = None
    for line in lines:
        if not line:
            continue
        action = json.loads(line)
        if "commitInfo" in action:
            info = action["commitInfo"]
        elif "metaData" in action:
            table = action["metaData"]
        elif "protocol" in action:
            protocol = action["protocol"]
        elif "add" in action and action["add"].get("dataChange"):
            added = True
            stats = json.loads(action["add"].get("stats") or "{}")
            counted = stats.get("numRecords")
            rows = None if rows is None or counted is None else rows + int(counted)
        elif ("remove" in action and action["remove"].get("dataChange")) or "cdc" in action:
            removed = True
    metrics = {
        key: int(value) for key, value in (info.get("operationMetrics") or {}).items() if str(value).isdigit()
    }
    user_metadata = info.get("userMetadata")
    metadata = CommitMetadata.from_json(user_metadata)
    return Commit(
        version=version,
        at=int(info.get("timestamp") or 0),
        operation=str(info.get("operation", "")),
        parameters=info.get("operationParameters") or {},
        metrics=metrics,
        metadata=metadata.completed(metrics) if metadata is not None else None,
        user_metadata=user_metadata,
        added=added,
        removed=removed,
        added_rows=rows,
        base=base_in(user_metadata),
        table=table,
        protocol=protocol,
    )
