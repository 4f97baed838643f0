"""Files that stop a load, or change from one load to the next: a clear error, and nothing lost or doubled."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from goldsmith.run import attempt, runner
from goldsmith.run.sources.files import Files
from support.lake import Lake

NAME = "bronze.people"
FULL = b"id,name\n1,Ada\n2,Bo\n"
BOTH = [(1, "Ada"), (2, "Bo")]


def declare(
    lake: Lake, source: str = "format: csv", keys: str = "", columns: str = "id: int, name: string"
) -> None:
    lake.declare(NAME, f"source: {{files: people/*, {source}}}\ncolumns: {{{columns}}}\n{keys}\n")


def people(lake: Lake, *columns: str) -> list[tuple[Any, ...]]:
    return lake.rows(NAME, *(columns or ("id", "name")))


def counts(lake: Lake) -> tuple[int, int, int]:
    """Loads; rows in, written and quarantined."""
    told = lake.done()[NAME].counts
    return told.rows_in, told.written, told.quarantined


def malformed(lake: Lake) -> list[str]:
    """The text of the quarantined records, each held for nothing but that it is malformed."""
    held = lake.quarantine(NAME)
    assert {reasons for reasons, _ in held} == {("malformed",)}
    return sorted(row["_malformed"] for _, row in held)


def error(lake: Lake, code: str, *words: str, file: str | None = None, retryable: bool = False) -> None:
    """Loads, and expects an error that names the table, the file and what to do; nothing is written."""
    before = lake.version(NAME)
    found = lake.failed(NAME).error
    assert found is not None
    told = f"{found} {found.hint}"
    assert found.code == code, told
    assert found.where.table == NAME, told
    assert found.hint, told
    for word in words:
        assert word in told
    if file is not None:
        assert str(found.where.file).endswith(file), told
    assert found.retryable is retryable, told
    assert lake.version(NAME) == before


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake whose runs are not recorded in `ops`, which is most of the time of a run as small as these."""
    monkeypatch.setattr(runner, "record", lambda *_, **__: (0, ()))
    return Lake(spark, tmp_path)


def test_a_first_line_in_another_encoding_is_an_error(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/a.csv", "id,name,größe\n7,Ed,1\n".encode("latin-1"))
    error(lake, "GS302", "encoding", "utf-8", file="people/a.csv")
    lake.deliver("people/a.csv", FULL)
    assert counts(lake) == (2, 2, 0)


def test_files_without_rows_are_loaded_once_and_give_none(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/empty.csv", b"")
    lake.deliver("people/header.csv", b"id,name\n")
    lake.deliver("people/blank.csv", b"\n\n")
    lake.deliver("people/packed.csv.gz", gzip.compress(b""))
    assert counts(lake) == (0, 0, 0)
    assert lake.run().outcomes[0].status == "nothing_new"
    lake.deliver("people/empty.csv", FULL)
    assert counts(lake) == (2, 2, 0)
    assert people(lake) == BOTH


def test_a_first_line_that_names_no_columns_is_an_error(lake: Lake) -> None:
    declare(lake)
    for first, word in (("id,name,Id", "two columns"), ("id,name,", "without a name")):
        lake.deliver("people/a.csv", f"{first}\n1,Ada,x\n")
        error(lake, "GS305", word, file="people/a.csv")


def test_a_new_column_that_a_table_cannot_have_is_an_error(lake: Lake) -> None:
    declare(lake)
    for name in ("_run_id", "_change_type", "full name", "_malformed"):
        lake.deliver("people/a.csv", f"id,name,{name}\n1,Ada,x\n2\n")
        error(lake, "GS305", f"`{name}`", "on_new_column: ignore", file="people/a.csv")
    declare(lake, keys="on_new_column: ignore")
    assert counts(lake) == (2, 1, 1)
    assert malformed(lake) == ["2"]


# Columns that come and go


def test_a_new_column_is_added_and_stays_null_elsewhere(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/a.csv", "id,name\n1,Ada\n")
    lake.done()
    lake.deliver("people/b.csv", "id,name,town\n2,Bo,York\n")
    lake.deliver("people/c.csv", "id,name\n3,Cy\n")
    assert counts(lake) == (2, 2, 0)
    lake.deliver("people/d.csv", "id,name\n4,Di\n")
    assert counts(lake) == (1, 1, 0)
    assert people(lake, "id", "town") == [(1, None), (2, "York"), (3, None), (4, None)]


def test_a_new_column_is_ignored_or_refused_as_declared(lake: Lake) -> None:
    declare(lake, keys="on_new_column: fail")
    lake.deliver("people/a.csv", "id,name,town\n1,Ada,York\n")
    error(lake, "GS305", "town", "on_new_column", file="people/a.csv")
    declare(lake, keys="on_new_column: ignore")
    assert counts(lake) == (1, 1, 0)
    assert "town" not in lake.table(NAME).columns


def test_a_missing_column_is_refused_or_filled_as_declared(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/a.csv", "id\n7\n")
    lake.deliver("people/b.csv", FULL)
    error(lake, "GS305", "lacks", "name", "on_missing_column", file="people/a.csv")
    declare(lake, keys="on_missing_column: fill")
    assert counts(lake) == (3, 3, 0)
    assert people(lake) == [*BOTH, (7, None)]


# Files that are damaged, missing, or change


def test_a_gzip_that_was_cut_off_is_an_error_until_it_is_delivered_whole(lake: Lake) -> None:
    declare(lake)
    rows = "".join(f"{number},name {number * 7919}\n" for number in range(20_000))
    packed = gzip.compress(b"id,name\n" + rows.encode(), mtime=0)
    lake.deliver("people/a.csv", FULL)
    lake.deliver("people/b c.csv.gz", packed[: len(packed) // 2])
    error(lake, "GS302", "truncated", file="people/b c.csv.gz", retryable=True)
    lake.deliver("people/b c.csv.gz", packed)
    assert counts(lake) == (20_002, 20_002, 0)


def test_what_is_not_gzip_is_an_error(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/b.csv.gz", FULL)
    error(lake, "GS302", "decompressed", file="people/b.csv.gz", retryable=True)


def test_a_landing_folder_that_is_not_there_is_an_error_until_it_is(lake: Lake) -> None:
    declare(lake)
    error(lake, "GS301", ".goldsmith/landing/people", retryable=True)
    lake.deliver("people/a.csv", FULL)
    assert counts(lake) == (2, 2, 0)


def empty_folder(lake: Lake) -> None:
    (lake.root / ".goldsmith" / "landing" / "people").mkdir(parents=True)


def test_before_its_first_files_a_table_is_there_without_rows(lake: Lake) -> None:
    declare(lake, keys="properties: {delta.logRetentionDuration: interval 9 days}")
    lake.declare("silver.people", "load: {merge: {key: [id]}}", "SELECT id, name FROM bronze.people")
    empty_folder(lake)
    assert {name: (done.status, done.counts.written) for name, done in lake.done().items()} == {
        NAME: ("done", 0),
        "silver.people": ("done", 0),
    }
    assert {done.status for done in lake.done().values()} == {"nothing_new"}
    lake.deliver("people/a.csv", FULL)
    lake.done()
    assert people(lake) == lake.rows("silver.people", "id", "name") == BOTH


def test_a_table_whose_files_tell_its_types_waits_for_them(lake: Lake) -> None:
    declare(lake, source="format: parquet", columns="id: {description: Of a person.}")
    empty_folder(lake)
    assert lake.done()[NAME].status == "nothing_new"
    assert lake.version(NAME) == -1
    lake.spark.range(2).coalesce(1).write.mode("overwrite").parquet(
        str(lake.root / ".goldsmith" / "landing" / "people")
    )
    assert lake.done()[NAME].counts.written == 2


def _remove(file: Path) -> None:
    file.unlink()


def _replace(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\n")


Change = Callable[[Path], None]


def during(patch: pytest.MonkeyPatch, moment: str, file: Path, change: Change, *, before: bool) -> None:
    """Changes a file just before or just after a step of the load."""
    owner = attempt if hasattr(attempt, moment) else Files
    genuine = getattr(owner, moment)

    def step(*arguments: Any, **options: Any) -> Any:
        if before:
            change(file)
        result = genuine(*arguments, **options)
        if not before:
            change(file)
        return result

    patch.setattr(owner, moment, step)


def test_a_file_that_changes_while_it_is_read_stops_the_load(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(lake)
    lake.deliver("people/a.csv", "id,name\n1,Ada\n")
    lake.done()
    for moment, before in (("rows", True), ("rows", False), ("measured", False)):
        for change in (_remove, _replace):
            file = lake.deliver("people/b.csv", "id,name\n2,Bo\n")
            with monkeypatch.context() as patch:
                during(patch, moment, file, change, before=before)
                error(lake, "GS303", "Run again", file="people/b.csv", retryable=True)
    lake.deliver("people/b.csv", "id,name\n2,Bo\n")
    assert counts(lake) == (1, 1, 0)
    assert people(lake) == BOTH


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_other_formats_as_well_name_the_file_that_vanished(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    declare(lake, f"format: {kind}")
    lake.deliver("people/a.x", b"whatever")
    file = lake.deliver("people/b.x", b"whatever")
    during(monkeypatch, "rows", file, _remove, before=True)
    if kind == "parquet":
        (lake.root / ".goldsmith/landing/people/a.x").unlink()
    error(lake, "GS303", "removed", file="people/b.x", retryable=True)


def test_a_file_replaced_after_it_was_loaded_is_loaded_again(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/a.csv", "id,name\n1,Ada\n")
    lake.done()
    lake.deliver("people/a.csv", FULL)
    outcome = lake.done()[NAME]
    assert outcome.counts.written == 2
    assert "1 of them replaced" in outcome.reason
    assert people(lake) == [(1, "Ada"), (1, "Ada"), (2, "Bo")]
    assert len({row[0] for row in people(lake, "_source_modified")}) == 2


def test_a_replaced_file_is_ignored_where_declared(lake: Lake) -> None:
    declare(lake, "format: csv, on_replaced: ignore")
    lake.deliver("people/a.csv", "id,name\n1,Ada\n")
    lake.done()
    lake.deliver("people/a.csv", "id,name\n7,Eve\n8,Ed\n")
    outcome = lake.done()[NAME]
    assert outcome.status == "nothing_new"
    assert "ignored" in outcome.reason
    lake.deliver("people/b.csv", "id,name\n2,Bo\n")
    assert counts(lake) == (1, 1, 0)
    assert people(lake) == BOTH


def test_a_replaced_file_stops_the_load_where_declared_until_the_former_is_back(lake: Lake) -> None:
    declare(lake, "format: csv, on_replaced: fail")
    file = lake.deliver("people/a.csv", FULL)
    loaded = file.stat().st_mtime_ns
    lake.done()
    lake.deliver("people/a.csv", "id,name\n7,Eve\n8,Ed\n")
    lake.deliver("people/b.csv", "id,name\n3,Cy\n")
    error(lake, "GS304", "modification time", file="people/a.csv")
    lake.deliver("people/a.csv", FULL)
    os.utime(file, ns=(loaded, loaded))
    assert counts(lake) == (1, 1, 0)
    assert people(lake) == [*BOTH, (3, "Cy")]


def test_a_new_file_with_an_old_time_is_loaded(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/b.csv", "id,name\n2,Bo\n")
    lake.done()
    late = lake.deliver("people/a.csv", "id,name\n1,Ada\n")
    os.utime(late, (86_400, 86_400))
    assert counts(lake) == (1, 1, 0)
    assert people(lake) == BOTH


def test_names_of_files_may_be_almost_anything(lake: Lake) -> None:
    home = Lake(lake.spark, lake.root / "my häuser +[1] {x} 100%")
    names = ["a b", "a+b", "ä", "100%", "a%20b", "a[1]", "a{x,y}", "a#b", "a?b", "a*b", "a,b", "a\\b", "'\""]
    home.declare(NAME, "source: {files: people/**/*.csv, format: csv}\ncolumns: {id: int, name: string}")
    for number, name in enumerate(names):
        home.deliver(f"people/{name}/{name}.csv", f"id,name\n{number},x\n")
    assert counts(home) == (len(names), len(names), 0)
    found = dict(home.rows(NAME, "id", "_source_file"))
    assert found == {number: f"people/{name}/{name}.csv" for number, name in enumerate(names)}
    assert home.done()[NAME].status == "nothing_new"


def test_a_colon_in_a_name_is_an_error(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/10:30.csv", FULL)
    error(lake, "GS302", "colon", "Rename", file="people/10:30.csv")


# JSON


def test_a_new_json_key_is_added_with_its_text(lake: Lake) -> None:
    declare(lake, "format: json")
    lake.deliver("people/a.json", '{"id":1,"name":"Ada"}\n')
    lake.done()
    lake.deliver("people/b.json", '{"id":2,"name":"Bo","home":{"town":"York","rooms":[1,2]}}\n{"id":3}\n')
    assert counts(lake) == (2, 2, 0)
    assert people(lake, "id", "name", "home") == [
        (1, "Ada", None),
        (2, "Bo", '{"town":"York","rooms":[1,2]}'),
        (3, None, None),
    ]


def test_a_packed_json_file_that_was_cut_off_is_an_error(lake: Lake) -> None:
    declare(lake, "format: json")
    rows = "".join(f'{{"id":{number},"name":"{number * 7919}"}}\n' for number in range(5_000))
    packed = gzip.compress(rows.encode(), mtime=0)
    lake.deliver("people/a.json.gz", packed[: len(packed) // 2])
    error(lake, "GS302", "truncated", file="people/a.json.gz", retryable=True)
    lake.deliver("people/a.json.gz", packed)
    assert counts(lake) == (5_000, 5_000, 0)


# Parquet


def parquet(lake: Lake, name: str, query: str) -> Path:
    """Delivers what a query gives as one parquet file."""
    folder = lake.root / "made" / name
    lake.spark.sql(query).coalesce(1).write.parquet(str(folder))
    return lake.deliver(f"people/{name}.parquet", next(folder.glob("*.parquet")).read_bytes())


def test_parquet_of_other_types_and_columns(lake: Lake) -> None:
    declare(lake, "format: parquet", keys="on_missing_column: fill")
    parquet(lake, "a", "SELECT 1 AS id, 'Ada' AS name")
    parquet(lake, "b", "SELECT 'Bo' AS name, 2L AS id, DATE'2013-01-01' AS since")
    parquet(lake, "c", "SELECT '3' AS id UNION ALL SELECT 'x'")
    parquet(lake, "d", "SELECT 4.5D AS id, 'Di' AS name")
    assert counts(lake) == (5, 3, 2)
    assert people(lake) == [*BOTH, (3, None)]
    assert sorted(row["id"] for _, row in lake.quarantine(NAME)) == ["4.5", "x"]


def test_what_is_not_parquet_is_an_error_until_it_is(lake: Lake) -> None:
    declare(lake, "format: parquet")
    whole = parquet(lake, "a", "SELECT 1 AS id, 'Ada' AS name").read_bytes()
    parquet(lake, "b", "SELECT 2 AS id, 'Bo' AS name")
    for content in (b"", FULL, whole[: len(whole) // 2]):
        lake.deliver("people/a.parquet", content)
        error(lake, "GS302", "not Parquet", file="people/a.parquet", retryable=True)
    lake.deliver("people/a.parquet", whole)
    assert counts(lake) == (2, 2, 0)
    assert people(lake) == BOTH
