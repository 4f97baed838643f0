"""A Delta table read without Spark: exact rows, types, and commits."""

from __future__ import annotations

import json
import math
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

Rows = Counter[tuple[Any, ...]]


@dataclass
class Commit:
    """One version of a table. added: the actions of its new files, by path."""

    version: int
    operation: str
    metadata: dict[str, Any]
    metrics: dict[str, str]
    added: dict[str, dict[str, Any]] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    changes_data: bool = False


class DeltaTable:
    """A Delta table at a path."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.commits: list[Commit] = []
        self.schemas: dict[int, list[dict[str, Any]]] = {}
        log = self.path / "_delta_log"
        for file in sorted(log.glob("*.json")) if log.is_dir() else ():
            self._read(file)

    def _read(self, file: Path) -> None:
        commit = Commit(int(file.stem), "", {}, {})
        for line in file.read_text(encoding="utf-8").splitlines():
            (kind, action), *_ = json.loads(line).items()
            match kind:
                case "commitInfo":
                    commit.operation = action.get("operation", "")
                    commit.metrics = action.get("operationMetrics", {})
                    commit.metadata = json.loads(action.get("userMetadata") or "{}").get("goldsmith", {})
                case "add":
                    assert not action.get("deletionVector"), "deletion vectors are not read here"
                    commit.added[unquote(action["path"])] = action
                    commit.changes_data |= action["dataChange"]
                case "remove":
                    commit.removed.add(unquote(action["path"]))
                    commit.changes_data |= action["dataChange"]
                case "metaData":
                    self.schemas[commit.version] = json.loads(action["schemaString"])["fields"]
        self.commits.append(commit)

    @property
    def exists(self) -> bool:
        return bool(self.commits)

    @property
    def version(self) -> int:
        return self.commits[-1].version if self.commits else -1

    def fields(self, version: int | None = None) -> list[dict[str, Any]]:
        """The columns in the log's schema."""
        until = self.version if version is None else version
        return self.schemas[max(at for at in self.schemas if at <= until)]

    def types(self, version: int | None = None) -> dict[str, str]:
        """Each column's type and whether it may be NULL."""
        return {
            item["name"]: json.dumps(
                [item["type"], item["nullable"], item["metadata"].get("__CHAR_VARCHAR_TYPE_STRING")]
            )
            for item in self.fields(version)
        }

    def names(self, version: int | None = None) -> list[str]:
        return [item["name"] for item in self.fields(version)]

    def added_rows(self, version: int) -> list[tuple[Any, ...]]:
        """The rows of the files that a commit added."""
        commit = next(item for item in self.commits if item.version == version)
        return [row for file in commit.added for row in self._file_rows(file, self.names(version))]

    def files(self, version: int | None = None) -> list[str]:
        live: dict[str, None] = {}
        for commit in self.commits:
            if version is not None and commit.version > version:
                break
            for path in commit.removed:
                live.pop(path, None)
            live |= dict.fromkeys(commit.added)
        return list(live)

    def count(self, version: int | None = None) -> int:
        return self.count_of(self.files(version))

    def count_of(self, files: Iterable[str]) -> int:
        """The number of rows in files, from their footers."""
        return sum(pq.read_metadata(self.path / file).num_rows for file in files)

    def rows(self, version: int | None = None, *, excluded: Iterable[str] = ()) -> Rows:
        """Rows as a multiset of tuples that compare exactly."""
        omitted = set(excluded)
        names = [item["name"] for item in self.fields(version) if item["name"] not in omitted]
        found: Rows = Counter()
        for file in self.files(version):
            found.update(self._file_rows(file, names))
        return found

    def records(self) -> list[dict[str, Any]]:
        """Rows as mappings of plain values; empty if the table does not exist."""
        if not self.exists:
            return []
        names = self.names()
        return [
            dict(zip(names, row, strict=True))
            for file in self.files()
            for row in self._file_rows(file, names)
        ]

    def _file_rows(self, file: str, names: list[str]) -> Iterator[tuple[Any, ...]]:
        table = pq.ParquetFile(self.path / file, coerce_int96_timestamp_unit="us").read()
        present = {name: at for at, name in enumerate(table.column_names)}
        columns = [_values(table.column(present[name])) if name in present else None for name in names]
        for at in range(table.num_rows):
            yield tuple(column[at] if column is not None else None for column in columns)


def columns_of(file: Path) -> dict[str, tuple[str, list[Any]]]:
    """A Parquet file's columns by lower-case name, each with its type and values."""
    table = pq.ParquetFile(file, coerce_int96_timestamp_unit="us").read()
    columns = zip(table.column_names, table.columns, strict=True)
    return {name.lower(): (_kind(column.type), _values(column)) for name, column in columns}


def _kind(kind: pa.DataType) -> str:
    """A type as Spark distinguishes it: without item names of arrays and zones of timestamps."""
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_list(kind):
        return f"array<{_kind(kind.value_type)}>"
    if pa.types.is_map(kind):
        return f"map<{_kind(kind.key_type)},{_kind(kind.item_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{item.name}:{_kind(item.type)}' for item in kind)}>"
    return str(kind)


def entries(quarantine: DeltaTable) -> list[dict[str, Any]]:
    """The quarantined rows, without markers of removed ones."""
    return [record for record in quarantine.records() if record.get("takes_back") is None]


def _values(column: pa.ChunkedArray) -> list[Any]:
    plain = _plain(column.type)
    values = (column if plain == column.type else column.cast(plain)).to_pylist()
    return [_exact(value) for value in values]


def _plain(kind: pa.DataType) -> pa.DataType:
    """A type whose full range Python can represent: timestamps and dates as numbers."""
    if pa.types.is_timestamp(kind):
        return pa.int64()
    if pa.types.is_date32(kind):
        return pa.int32()
    if pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_map(kind):
        return pa.map_(_plain(kind.key_type), _plain(kind.item_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(item.name, _plain(item.type)) for item in kind])
    return kind


def _exact(value: Any) -> Any:
    """A hashable value that compares exactly; all NaNs are equal."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else ("float", struct.pack(">d", value).hex(), value)
    if isinstance(value, dict):
        return tuple((key, _exact(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(_exact(item) for item in value)
    return ("bool", value) if isinstance(value, bool) else value


def difference(left: Rows, right: Rows, most: int = 4) -> str:
    """The differences of two multisets as text; empty if they are equal."""
    lines = []
    for mark, more, less in (("only here", left, right), ("only rebuilt", right, left)):
        rows = more - less
        if rows:
            shown = "; ".join(f"{count} x {row}" for row, count in list(rows.items())[:most])
            lines.append(f"{mark} ({rows.total()}): {shown}")
    return "\n".join(lines)
