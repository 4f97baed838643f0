"""What every commit of Goldsmith says about itself, kept in the commit's `userMetadata`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

NAME = "goldsmith"
"""The key under which commits carry what Goldsmith says of them."""

BASE = "base"
"""The key under which commits name the version that they were planned from."""

Mode = Literal["first", "incremental", "full", "rebuild", "release", "maintenance"]


@dataclass(frozen=True)
class Consumed:
    """An upstream as a table has consumed it: the Delta table's id and its version."""

    id: str
    version: int


@dataclass(frozen=True)
class LoadedFile:
    """A delivered file, known by path, size in bytes and modification time in milliseconds since 1970 (UTC).

    etag: the store's own mark of its content; None on a disk.
    """

    path: str
    size: int
    modified: int
    etag: str | None = None

    @property
    def state(self) -> tuple[str, int, int]:
        """What is known of it wherever it was written down."""
        return self.path, self.size, self.modified


@dataclass(frozen=True)
class RowCounts:
    """Rows of one load. rows_in = written + quarantined + dropped + superseded where the load is right.

    filtered: rows of the change set that the query left out; None if the query is not one-to-one.
    inserted, updated, deleted: what the written rows did to the table.
    """

    rows_in: int = 0
    written: int = 0
    quarantined: int = 0
    dropped: int = 0
    superseded: int = 0
    filtered: int | None = None
    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def balanced(self) -> bool:
        return self.rows_in == self.written + self.quarantined + self.dropped + self.superseded


@dataclass(frozen=True)
class Merged:
    """What a merge was given. rows: the newest of each key. superseded: rows that these beat.

    recomputed: whether keys were computed anew. gone: rows it deletes because nothing of their key is left
    upstream; no row came in for these.
    """

    rows: int
    superseded: int
    recomputed: bool = False
    gone: int = 0


@dataclass(frozen=True)
class VerdictRecord:
    """An expectation's verdict in one load. samples: up to three failing rows as JSON."""

    name: str
    kind: str
    otherwise: str
    description: str
    checked: int
    failed: int
    observed: str | None
    ok: bool
    accepted_by: str | None = None
    accepted_why: str | None = None
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class CommitMetadata:
    """One commit to one table.

    counter: the commit's place in the table's sequence. consumed: each upstream after this commit.
    listing: a digest of the landing files seen. files: those that this commit loaded.
    content: row count and hash of what an overwrite wrote. quarantine: the version of the quarantine
    table that belongs to this commit. voided: ranges of counters that a RESTORE took back.
    counts: without what only the commit can count, until `completed` adds it. merged: of a merge.
    interval: the data interval's ends, ISO 8601. started, committed: ISO 8601, UTC. foreign: operations that changed
    rows outside Goldsmith before this commit, which did not replace them.
    """

    table: str
    run_id: str
    counter: int
    mode: Mode
    definition: str
    consumed: Mapping[str, Consumed] = field(default_factory=dict)
    files: tuple[LoadedFile, ...] = ()
    listing: str | None = None
    content: str | None = None
    quarantine: int | None = None
    voided: tuple[tuple[int, int], ...] = ()
    counts: RowCounts = field(default_factory=RowCounts)
    merged: Merged | None = None
    verdicts: tuple[VerdictRecord, ...] = ()
    interval: tuple[str, str] | None = None
    started: str = ""
    committed: str = ""
    foreign: tuple[str, ...] = ()

    def to_json(self, base: int) -> str:
        """The text for a commit that was planned from the table's version `base`."""
        return json.dumps({BASE: base, NAME: asdict(self)}, separators=(",", ":"), default=str)

    @classmethod
    def from_json(cls, text: str | None) -> CommitMetadata | None:
        """The metadata in a commit's text, or None if the commit is not one of Goldsmith's."""
        if not text or f'"{NAME}"' not in text:
            return None
        try:
            held = json.loads(text).get(NAME)
        except (json.JSONDecodeError, AttributeError):
            return None
        return cls._from_dict(held) if isinstance(held, dict) else None

    @classmethod
    def _from_dict(cls, held: dict[str, Any]) -> CommitMetadata:
        interval = held.get("interval")
        return cls(
            **{
                **held,
                "consumed": {name: Consumed(**item) for name, item in held["consumed"].items()},
                "files": tuple(LoadedFile(**item) for item in held["files"]),
                "voided": tuple((low, high) for low, high in held["voided"]),
                "counts": RowCounts(**held["counts"]),
                "merged": Merged(**held["merged"]) if held.get("merged") else None,
                "verdicts": tuple(
                    VerdictRecord(**{**item, "samples": tuple(item["samples"])}) for item in held["verdicts"]
                ),
                "interval": tuple(interval) if interval else None,
                "foreign": tuple(held.get("foreign") or ()),
            }
        )

    def is_void(self, counter: int) -> bool:
        """True if a RESTORE took the commit with this counter back."""
        return any(low <= counter <= high for low, high in self.voided)

    def completed(self, metrics: Mapping[str, int]) -> CommitMetadata:
        """The same with the rows that Delta's own metrics of the commit say were written."""
        if self.merged is None:
            # Replacing a part counts rows of other parts that came along with their files.
            written = metrics.get("numOutputRows", 0) - metrics.get("numCopiedRows", 0)
            return replace(self, counts=replace(self.counts, written=written, inserted=written))
        inserted = metrics.get("numTargetRowsInserted", 0)
        updated = metrics.get("numTargetRowsUpdated", 0)
        deleted = metrics.get("numTargetRowsDeleted", 0)
        written = inserted + updated + deleted - self.merged.gone
        # Where no key was computed anew, the merge's own count of its source stands for the rows that came to it.
        came = self.merged.rows if self.merged.recomputed else metrics.get("numSourceRows", 0)
        counts = replace(
            self.counts,
            written=written,
            inserted=inserted,
            updated=updated,
            deleted=deleted,
            superseded=self.merged.superseded + came - written,
        )
        return replace(self, counts=counts)


def base_in(text: str | None) -> int | None:
    """The version that a commit with this text was planned from; None if it names none."""
    if not text or f'"{BASE}"' not in text:
        return None
    try:
        base = json.loads(text).get(BASE)
    except (json.JSONDecodeError, AttributeError):
        return None
    return base if isinstance(base, int) else None
