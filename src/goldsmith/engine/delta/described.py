"""What a declaration says of a table beside its rows: comments, properties, clustering."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from goldsmith.engine.delta.log import TableLog

DECLARED = "goldsmith.declared"
"""The table property that records which declaration was applied, and what it set."""


@dataclass(frozen=True)
class Description:
    """The declared comments, properties and clustering of a table. columns: their comments, if they have one."""

    comment: str
    columns: Mapping[str, str]
    properties: Mapping[str, str]
    cluster_by: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """The value of DECLARED: a digest, and the names of what is set; empty if nothing is declared."""
        content = (
            self.comment,
            sorted(self.columns.items()),
            sorted(self.properties.items()),
            self.cluster_by,
        )
        if not any(content):
            return ""
        values = {
            "digest": hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16],
            "columns": sorted(self.columns),
            "properties": sorted(self.properties),
        }
        return json.dumps(values, separators=(",", ":"))


def is_current(log: TableLog, wanted: Description) -> bool:
    """True if this description was the last one applied."""
    return (log.table_property(DECLARED) or "") == wanted.fingerprint
