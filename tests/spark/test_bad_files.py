"""Files that fail a load, or change between loads: a clear error, and no row lost or duplicated."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goldsmith.run import attempt
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
    """Loads the table and returns the rows in, written and quarantined."""
    found = lake.done()[NAME].counts
    return found.rows_in, found.written, found.quarantined


def malformed(lake: Lake) -> list[str]:
    """The text of the quarantined records, whose only reason is that they are malformed."""
    entries = lake.quarantine(NAME)
    assert {reasons for reasons, _ in entries} == {("malformed",)}
    return sorted(row["_malformed"] for _, row in entries)


def error(lake: Lake, code: str, *words: str, file: str | None = None, retryable: bool = False) -> None:
    """Loads the table and expects an error with table, file and hint, and no commit."""
    before = lake.version(NAME)
    found = lake.failed(NAME).error
    assert found is not None
    text = f"{found} {found.hint}"
    assert found.code == code, text
    assert found.where.table == NAME, text
    assert found.hint, text
    for word in words:
        assert word in text
    if file is not None:
        assert str(found.where.file).endswith(file), text
    assert found.retryable is retryable, text
    assert lake.version(NAME) == before


@pytest.fixture
def lake(unrecorded_lake: Lake) -> Lake:
    return unrecorded_lake


def test_header_in_another_encoding_is_an_error(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/a.csv", "id,name,größe\n7,Ed,1\n".encode("latin-1"))
    error(lake, "GS302", "encoding", "utf-8", file="people/a.csv")
    lake.deliver("people/a.csv", FULL)
    assert counts(lake) == (2, 2, 0)


def test_files_without_rows_are_loaded_once(lake: Lake) -> None:
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


def test_header_with_unnamed_or_duplicate_columns_is_an_error(lake: Lake) -> None:
    declare(lake)
    for first, word in (("id,name,Id", "two columns"), ("id,name,", "without a name")):
        lake.deliver("people/a.csv", f"{first}\n1,Ada,x\n")
        error(lake, "GS305", word, file="people/a.csv")


def test_new_column_with_an_invalid_name_is_an_error(lake: Lake) -> None:
    declare(lake)
    for name in ("_run_id", "_change_type", "full name", "_malformed"):
        lake.deliver("people/a.csv", f"id,name,{name}\n1,Ada,x\n2\n")
        error(lake, "GS305", f"`{name}`", "on_new_column: ignore", file="people/a.csv")
    declare(lake, keys="on_new_column: ignore")
    assert counts(lake) == (2, 1, 1)
    assert malformed(lake) == ["2"]


# Added and missing columns


def test_new_column_is_added_and_null_in_other_rows(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/a.csv", "id,name\n1,Ada\n")
    lake.done()
    lake.deliver("people/b.csv", "id,name,town\n2,Bo,York\n")
    lake.deliver("people/c.csv", "id,name\n3,Cy\n")
    assert counts(lake) == (2, 2, 0)
    lake.deliver("people/d.csv", "id,name\n4,Di\n")
    assert counts(lake) == (1, 1, 0)
    assert people(lake, "id", "town") == [(1, None), (2, "York"), (3, None), (4, None)]


def test_new_column_is_ignored_or_refused_as_declared(lake: Lake) -> None:
    declare(lake, keys="on_new_column: fail")
    lake.deliver("people/a.csv", "id,name,town\n1,Ada,York\n")
    error(lake, "GS305", "town", "on_new_column", file="people/a.csv")
    declare(lake, keys="on_new_column: ignore")
    assert counts(lake) == (1, 1, 0)
    assert "town" not in lake.table(NAME).columns


def test_missing_column_is_refused_or_filled_as_declared(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/a.csv", "id\n7\n")
    lake.deliver("people/b.csv", FULL)
    error(lake, "GS305", "lacks", "name", "on_missing_column", file="people/a.csv")
    declare(lake, keys="on_missing_column: fill")
    assert counts(lake) == (3, 3, 0)
    assert people(lake) == [*BOTH, (7, None)]


# Damaged, missing and changed files


def test_truncated_gzip_is_an_error_until_it_is_replaced(lake: Lake) -> None:
    declare(lake)
    rows = "".join(f"{number},name {number * 7919}\n" for number in range(20_000))
    packed = gzip.compress(b"id,name\n" + rows.encode(), mtime=0)
    lake.deliver("people/a.csv", FULL)
    lake.deliver("people/b c.csv.gz", packed[: len(packed) // 2])
    error(lake, "GS302", "truncated", file="people/b c.csv.gz", retryable=True)
    lake.deliver("people/b c.csv.gz", packed)
    assert counts(lake) == (20_002, 20_002, 0)


def test_invalid_gzip_is_an_error(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/b.csv.gz", FULL)
    error(lake, "GS302", "decompressed", file="people/b.csv.gz", retryable=True)


def test_missing_landing_folder_is_an_error_until_it_exists(lake: Lake) -> None:
    declare(lake)
    error(lake, "GS301", ".goldsmith/landing/people", retryable=True)
    lake.deliver("people/a.csv", FULL)
    assert counts(lake) == (2, 2, 0)


def empty_folder(lake: Lake) -> None:
    (lake.root / ".goldsmith" / "landing" / "people").mkdir(parents=True)


def test_table_without_files_is_created_empty(lake: Lake) -> None:
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


def test_table_with_types_from_files_is_created_by_the_first_files(lake: Lake) -> None:
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


def test_file_changed_during_the_load_fails_it(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_removed_file_is_named_for_other_formats(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    declare(lake, f"format: {kind}")
    lake.deliver("people/a.x", b"whatever")
    file = lake.deliver("people/b.x", b"whatever")
    during(monkeypatch, "rows", file, _remove, before=True)
    if kind == "parquet":
        (lake.root / ".goldsmith/landing/people/a.x").unlink()
    error(lake, "GS303", "removed", file="people/b.x", retryable=True)


def test_replaced_file_is_loaded_again(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/a.csv", "id,name\n1,Ada\n")
    lake.done()
    lake.deliver("people/a.csv", FULL)
    outcome = lake.done()[NAME]
    assert outcome.counts.written == 2
    assert "1 of them replaced" in outcome.reason
    assert people(lake) == [(1, "Ada"), (1, "Ada"), (2, "Bo")]
    assert len({row[0] for row in people(lake, "_source_modified")}) == 2


def test_replaced_file_replaces_its_rows_up_to_gold_if_declared(lake: Lake) -> None:
    declare(lake, "format: csv, on_replaced: replace")
    lake.declare("silver.people", "load: {merge: {key: id}}", f"SELECT id, name FROM {NAME}")
    lake.declare("gold.n", "load: {overwrite_partitions: {by: name}}",
                 "SELECT name, count(*) AS n FROM silver.people GROUP BY name")  # fmt: skip
    lake.deliver("people/a.csv", "id,name\n1,Ada\n2,Bo\nx,Cy\n")
    lake.deliver("people/b.csv", "id,name\n7,Eve\ny,Flo\n")
    lake.done()
    lake.deliver("people/a.csv", "id,name\n2,Bob\n3,Cy\nz,Dan\n")
    lake.deliver("people/c.csv", "id,name\n9,Ivy\n")
    assert counts(lake) == (4, 3, 1)
    assert people(lake) == [(2, "Bob"), (3, "Cy"), (7, "Eve"), (9, "Ivy")]
    assert lake.rows("silver.people") == people(lake)
    assert lake.rows("gold.n", "name") == [("Bob",), ("Cy",), ("Eve",), ("Ivy",)]
    assert sorted(row["id"] for _, row in lake.quarantine(NAME)) == ["y", "z"]
    history = lake.spark.sql(f"DESCRIBE HISTORY delta.`{lake.path(NAME)}`").count()
    assert history == 2
    # An empty file leaves no row; another replacement of the same file follows the last one.
    lake.deliver("people/a.csv", "id,name\n")
    assert counts(lake) == (0, 0, 0)
    assert people(lake) == lake.rows("silver.people") == [(7, "Eve"), (9, "Ivy")]
    assert [row["id"] for _, row in lake.quarantine(NAME)] == ["y"]
    lake.deliver("people/a.csv", "id,name\n1,Ada\n")
    lake.done()
    before = people(lake)
    assert before == [(1, "Ada"), (7, "Eve"), (9, "Ivy")]
    assert lake.done()[NAME].status == "nothing_new"
    lake.done(rebuild=[NAME])
    assert people(lake) == before


def test_rows_with_a_backtick_in_a_new_column_cannot_be_replaced(lake: Lake) -> None:
    """Delta fails to replace a part of such a table with a message of its own."""
    lake.declare(
        "bronze.t", "source: {files: t/*.csv, format: csv, on_replaced: replace}\ncolumns: {id: int}\n"
    )
    lake.deliver("t/a.csv", "id\n1\n")
    lake.done()
    lake.deliver("t/a.csv", "id,a`b\n1,23\n")
    error = lake.failed("bronze.t").error
    assert error is not None
    assert (error.code, error.message) == (
        "GS110",
        "The column `a`b` has a backtick in its name: Delta cannot replace a part of such a table.",
    )
    assert lake.rows("bronze.t", "id") == [(1,)]


def test_former_content_of_a_replaced_file_is_loaded_again_if_it_returns(lake: Lake) -> None:
    declare(lake, "format: csv, on_replaced: replace")
    file = lake.deliver("people/a.csv", "id,name\n1,Ada\n")
    loaded = file.stat().st_mtime_ns
    lake.done()
    lake.deliver("people/a.csv", "id,name\n2,Bo\n")
    lake.done()
    assert people(lake) == [(2, "Bo")]
    lake.deliver("people/a.csv", "id,name\n1,Ada\n")
    os.utime(file, ns=(loaded, loaded))
    assert counts(lake) == (1, 1, 0)
    assert people(lake) == [(1, "Ada")]
    assert lake.done()[NAME].status == "nothing_new"
    # The ledger alone, without the listing of the last commit.
    lake.deliver("people/b.csv", "id,name\n3,Cy\n")
    lake.deliver("people/a.csv", "id,name\n2,Bo\n")
    lake.done()
    assert people(lake) == [(2, "Bo"), (3, "Cy")]


def test_replaced_file_is_ignored_if_declared(lake: Lake) -> None:
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


def test_replaced_file_fails_the_load_if_declared_until_restored(lake: Lake) -> None:
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


def test_new_file_with_an_old_modification_time_is_loaded(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/b.csv", "id,name\n2,Bo\n")
    lake.done()
    late = lake.deliver("people/a.csv", "id,name\n1,Ada\n")
    os.utime(late, (86_400, 86_400))
    assert counts(lake) == (1, 1, 0)
    assert people(lake) == BOTH


def test_file_names_with_special_characters_are_loaded(lake: Lake) -> None:
    home = Lake(lake.spark, lake.root / "my häuser +[1] {x} 100%")
    names = ["a b", "a+b", "ä", "100%", "a%20b", "a[1]", "a{x,y}", "a#b", "a?b", "a*b", "a,b", "a\\b", "'\""]
    home.declare(NAME, "source: {files: people/**/*.csv, format: csv}\ncolumns: {id: int, name: string}")
    for number, name in enumerate(names):
        home.deliver(f"people/{name}/{name}.csv", f"id,name\n{number},x\n")
    assert counts(home) == (len(names), len(names), 0)
    found = dict(home.rows(NAME, "id", "_source_file"))
    assert found == {number: f"people/{name}/{name}.csv" for number, name in enumerate(names)}
    assert home.done()[NAME].status == "nothing_new"


def test_colon_in_a_file_name_is_an_error(lake: Lake) -> None:
    declare(lake)
    lake.deliver("people/10:30.csv", FULL)
    error(lake, "GS302", "colon", "Rename", file="people/10:30.csv")


# JSON


def test_new_json_key_is_added_as_text(lake: Lake) -> None:
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


def test_truncated_gzip_of_json_is_an_error(lake: Lake) -> None:
    declare(lake, "format: json")
    rows = "".join(f'{{"id":{number},"name":"{number * 7919}"}}\n' for number in range(5_000))
    packed = gzip.compress(rows.encode(), mtime=0)
    lake.deliver("people/a.json.gz", packed[: len(packed) // 2])
    error(lake, "GS302", "truncated", file="people/a.json.gz", retryable=True)
    lake.deliver("people/a.json.gz", packed)
    assert counts(lake) == (5_000, 5_000, 0)


# Parquet


def parquet(lake: Lake, name: str, query: str) -> Path:
    """Delivers the rows of a query as one Parquet file."""
    folder = lake.root / "made" / name
    lake.spark.sql(query).coalesce(1).write.parquet(str(folder))
    return lake.deliver(f"people/{name}.parquet", next(folder.glob("*.parquet")).read_bytes())


def test_parquet_with_other_types_and_columns_is_cast(lake: Lake) -> None:
    declare(lake, "format: parquet", keys="on_missing_column: fill")
    parquet(lake, "a", "SELECT 1 AS id, 'Ada' AS name")
    parquet(lake, "b", "SELECT 'Bo' AS name, 2L AS id, DATE'2013-01-01' AS since")
    parquet(lake, "c", "SELECT '3' AS id UNION ALL SELECT 'x'")
    parquet(lake, "d", "SELECT 4.5D AS id, 'Di' AS name")
    assert counts(lake) == (5, 3, 2)
    assert people(lake) == [*BOTH, (3, None)]
    assert sorted(row["id"] for _, row in lake.quarantine(NAME)) == ["4.5", "x"]


def test_invalid_parquet_is_an_error_until_it_is_replaced(lake: Lake) -> None:
    declare(lake, "format: parquet")
    whole = parquet(lake, "a", "SELECT 1 AS id, 'Ada' AS name").read_bytes()
    parquet(lake, "b", "SELECT 2 AS id, 'Bo' AS name")
    for content in (b"", FULL, whole[: len(whole) // 2]):
        lake.deliver("people/a.parquet", content)
        error(lake, "GS302", "not Parquet", file="people/a.parquet", retryable=True)
    lake.deliver("people/a.parquet", whole)
    assert counts(lake) == (2, 2, 0)
    assert people(lake) == BOTH
