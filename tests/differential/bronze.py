"""A commit of a bronze table compared with the files that it loaded, as read by Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from differential import delivered
from differential.delta_table import DeltaTable, columns_of
from differential.failing import Failed
from differential.values import DAY, civil
from goldsmith.engine.delta.metadata import CommitMetadata

UNREAD = ("variant",)
"""Types that this reader does not support: of their tables, only records are counted."""


def check_commit(
    delta: DeltaTable,
    version: int,
    declared: Mapping[str, Any],
    files: Sequence[Path],
    quarantined: Sequence[dict[str, Any]],
    loaded: CommitMetadata,
) -> None:
    """Raises Failed if a commit's rows differ from those of its files.

    declared: the table's YAML. quarantined: the entries of the commit. loaded: its metadata.
    """
    rows_in, table = loaded.counts.rows_in, loaded.table
    source = declared["source"]
    judged = any(rule["otherwise"] in ("drop", "quarantine") for rule in declared.get("expectations", ()))
    if source["format"] in ("parquet", "avro"):
        files = files if source["format"] == "parquet" else [parquet_of(file) for file in files]
        records = sum(pq.read_metadata(file).num_rows for file in files)
        if records != rows_in:
            raise Failed("records", table, f"the files hold {records} rows, and {rows_in} came in")
        check_columns(delta, version, files, table)
        return
    read_as = {name: "string" if kind in UNREAD else kind for name, kind in declared["columns"].items()}
    new = declared.get("on_new_column", "add")
    of = delivered.Declared(source["format"], read_as, source.get("options", {}), new)
    expected = [delivered.read(file.read_bytes(), of, file.name) for file in files]
    records = sum(part.rows_in for part in expected)
    if records != rows_in:
        raise Failed("records", table, f"the files hold {records} records, and {rows_in} came in")
    if any(kind in UNREAD for kind in declared["columns"].values()):
        return
    wrong = Counter(tuple(sorted(part.reasons)) for each in expected for part in each.quarantined)
    reported = Counter(found for entry in quarantined if (found := _of_files(entry["reasons"])))
    if wrong != reported:
        raise Failed("bronze", table, f"quarantines {dict(reported)}, and its files hold {dict(wrong)}")
    kinds = {item["name"]: item["type"] for item in delta.fields(version)}
    columns = [name for name in kinds if not name.startswith("_")]
    wanted = Counter(repr([row.get(name) for name in columns]) for part in expected for row in part.rows)
    at = {name: position for position, name in enumerate(delta.names(version))}
    found = Counter(
        repr([normalized(row[at[name]], kinds[name]) for name in columns])
        for row in delta.added_rows(version)
        # A load that replaces files copies the other rows of the table's files.
        if row[at["_run_id"]] == loaded.run_id
    )
    extra, missing = found - wanted, wanted - found
    if extra or (missing and not judged):
        raise Failed("bronze", table, f"holds {list(extra.items())[:3]}, and not {list(missing.items())[:3]}")


def parquet_of(file: Path) -> Path:
    """The file with the rows of an Avro file as Parquet."""
    return file.with_name(f".{file.name}.parquet")


def check_columns(delta: DeltaTable, version: int, files: Sequence[Path], table: str) -> None:
    """Raises Failed if a commit has a row that no Parquet file has, by columns of the same type."""
    commit = next(item for item in delta.commits if item.version == version)
    parts = {
        "delivered": [columns_of(file) for file in files],
        "written": [columns_of(delta.path / file) for file in commit.added],
    }
    every = [part for side in parts.values() for part in side]
    alike = [
        name
        for name, (kind, _) in every[0].items()
        if not name.startswith("_") and all(name in part and part[name][0] == kind for part in every)
    ]
    rows = {
        side: Counter(row for part in found for row in zip(*(part[name][1] for name in alike), strict=True))
        for side, found in parts.items()
    }
    if extra := rows["written"] - rows["delivered"]:
        detail = f"holds {list(extra.items())[:3]} in {alike}, and its files do not"
        raise Failed("bronze", table, detail)


def _of_files(reasons: Sequence[str]) -> tuple[str, ...]:
    """The reasons that depend only on the file."""
    own = ("cast(", delivered.MALFORMED, delivered.NOT_IN_ENCODING)
    return tuple(sorted(reason for reason in reasons if reason.startswith(own)))


def normalized(value: Any, kind: Any) -> Any:
    """A value of a table's file in the form of `delivered`."""
    if value is None:
        return None
    if isinstance(kind, dict):
        match kind["type"]:
            case "array":
                return [normalized(item, kind["elementType"]) for item in value]
            case "map":
                pairs = [
                    (normalized(key, kind["keyType"]), normalized(item, kind["valueType"]))
                    for key, item in value
                ]
                return tuple(sorted(pairs, key=repr))
            case _:
                types = {part["name"]: part["type"] for part in kind["fields"]}
                return {name: normalized(item, types[name]) for name, item in value}
    if kind in ("float", "double"):
        return delivered.number(float("nan") if value == "NaN" else value[2])
    if kind == "boolean":
        return value[1]
    if kind == "date":
        return _day(value)
    if kind.startswith("timestamp"):
        day, micros = divmod(value, DAY)
        seconds, micros = divmod(micros, 1_000_000)
        fraction = f".{micros:06}".rstrip("0").rstrip(".")
        return f"{_day(day)} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"
    return value


def _day(days: int) -> str:
    year, month, day = civil(days)
    return f"{'-' if year < 0 else '+' if year > 9999 else ''}{abs(year):04}-{month:02}-{day:02}"
