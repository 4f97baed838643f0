"""The metadata of Goldsmith's commits, stored in the commit's `userMetadata`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

NAME = "goldsmith"
"""The key of Goldsmith's metadata in a commit."""

BASE = "base"
"""The key of the version that a commit was planned from."""

Mode = Literal["first", "incremental", "full", "rebuild", "release", "maintenance"]


@dataclass(frozen=True)
class Consumed:
    """The version of an upstream that a table has consumed, with the Delta table's id."""

    id: str
    version: int


@dataclass(frozen=True)
class LoadedFile:
    """A delivered file, identified by path, size in bytes and modification time in milliseconds since 1970 (UTC).

    etag: the object store's ETag; None on a disk.
    """

    path: str
    size: int
    modified: int
    etag: str | None = None

    @property
    def state(self) -> tuple[str, int, int]:
        """Its identity without the ETag, which is not recorded everywhere."""
        return self.path, self.size, self.modified


@dataclass(frozen=True)
class RowCounts:
    """Row counts of one load. rows_in = written + quarantined + dropped + superseded if the load is correct.

    filtered: rows of the change set that the query filtered out; None if the query is not one-to-one.
    inserted, updated, deleted: the effect of the written rows on the table.
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
    """The input of a merge. rows: the newest rows of all keys. superseded: older rows of these keys.

    recomputed: whether keys were recomputed. gone: rows that the merge deletes because their keys no longer exist
    upstream; rows_in does not include them.
    """

    rows: int
    superseded: int
    recomputed: bool = False
    gone: int = 0


@dataclass(frozen=True)
class Pulled:
    """The last answer of a source that loads ask for new rows. run_id, counter: of the commit that loaded it.

    state: the JSON value that the source left for the next load. restated: the interval of the command that loaded it
    again, ISO 8601.
    """

    run_id: str
    counter: int
    state: Any = None
    restated: tuple[str, str] | None = None


@dataclass(frozen=True)
class VerdictRecord:
    """The result of an expectation in one load. samples: up to three failing rows as JSON."""

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
    """The metadata of one commit to one table.

    counter: the number of the commit among Goldsmith's commits to the table. consumed: the upstreams' versions after
    this commit. listing: a digest of the listed landing files. files: the files loaded by this commit. pulled: the last
    answer of a source that is asked for rows. content: row
    count and hash of the rows of an overwrite. newest: the greatest sequence that a history contains, as a SQL
    literal. quarantine: the version of the quarantine table that belongs to this
    commit. voided: ranges of counters that a RESTORE undid. counts: row counts; `completed` adds those that only the
    commit knows. merged: the input of a merge. interval: the ends of the data interval, ISO 8601. started, committed:
    ISO 8601, UTC. foreign: operations outside Goldsmith whose changes are still in the table.
    """

    table: str
    run_id: str
    counter: int
    mode: Mode
    definition: str
    consumed: Mapping[str, Consumed] = field(default_factory=dict)
    files: tuple[LoadedFile, ...] = ()
    listing: str | None = None
    pulled: Pulled | None = None
    content: str | None = None
    newest: str | None = None
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
        """The userMetadata of a commit that was planned from the table's version `base`."""
        return json.dumps({BASE: base, NAME: asdict(self)}, separators=(",", ":"), default=str)

    @classmethod
    def from_json(cls, text: str | None) -> CommitMetadata | None:
        """Parses a commit's userMetadata; None if the commit is not Goldsmith's."""
        if not text or f'"{NAME}"' not in text:
            return None
        try:
            fields = json.loads(text).get(NAME)
        except (json.JSONDecodeError, AttributeError):
            return None
        return cls._from_dict(fields) if isinstance(fields, dict) else None

    @classmethod
    def _from_dict(cls, fields: dict[str, Any]) -> CommitMetadata:
        interval = fields.get("interval")
        return cls(
            **{
                **fields,
                "consumed": {name: Consumed(**item) for name, item in fields["consumed"].items()},
                "files": tuple(LoadedFile(**item) for item in fields["files"]),
                "voided": tuple((low, high) for low, high in fields["voided"]),
                "counts": RowCounts(**fields["counts"]),
                "pulled": _pulled(fields["pulled"]) if fields.get("pulled") else None,
                "merged": Merged(**fields["merged"]) if fields.get("merged") else None,
                "verdicts": tuple(
                    VerdictRecord(**{**item, "samples": tuple(item["samples"])})
                    for item in fields["verdicts"]
                ),
                "interval": tuple(interval) if interval else None,
                "foreign": tuple(fields.get("foreign") or ()),
            }
        )

    def is_voided(self, counter: int) -> bool:
        """True if a RESTORE undid the commit with this counter."""
        return any(low <= counter <= high for low, high in self.voided)

    def completed(self, metrics: Mapping[str, int]) -> CommitMetadata:
        """The metadata with the numbers of written rows from Delta's metrics of the commit."""
        if self.merged is None:
            # replaceWhere also counts rows that were copied because they share a file with replaced ones.
            written = metrics.get("numOutputRows", 0) - metrics.get("numCopiedRows", 0)
            return replace(self, counts=replace(self.counts, written=written, inserted=written))
        inserted = metrics.get("numTargetRowsInserted", 0)
        updated = metrics.get("numTargetRowsUpdated", 0)
        deleted = metrics.get("numTargetRowsDeleted", 0)
        written = inserted + updated + deleted - self.merged.gone
        # Without recomputed keys, Delta's count of source rows is an independent count of the merge's input.
        source_rows = self.merged.rows if self.merged.recomputed else metrics.get("numSourceRows", 0)
        counts = replace(
            self.counts,
            written=written,
            inserted=inserted,
            updated=updated,
            deleted=deleted,
            superseded=self.merged.superseded + source_rows - written,
        )
        return replace(self, counts=counts)


def _pulled(fields: dict[str, Any]) -> Pulled:
    restated = fields.get("restated")
    return Pulled(**{**fields, "restated": tuple(restated) if restated else None})


def base_in(text: str | None) -> int | None:
    """The version that a commit with this userMetadata was planned from; None if it is not recorded."""
    if not text or f'"{BASE}"' not in text:
        return None
    try:
        base = json.loads(text).get(BASE)
    except (json.JSONDecodeError, AttributeError):
        return None
    return base if isinstance(base, int) else None
