"""Quarantined rows keep their values and types when released, re-evaluated and shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession

from goldsmith.cli import opening
from goldsmith.cli import quarantine as quarantine_commands
from goldsmith.engine.delta.entry_batches import EntryBatch
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.original_rows import BAD
from goldsmith.engine.delta.quarantine import QuarantineTable
from goldsmith.engine.row_values import named
from goldsmith.errors import Exit, RunError
from goldsmith.project.sql.text import quoted
from goldsmith.quality.judge import OUTCOME, REASONS
from goldsmith.run.preview import preview
from goldsmith.run.quarantined import BY, original_rows
from support.command import command
from support.lake import Lake

RULE = """
expectations:
  - expect_column_values_to_be_between: {column: n, max_value: %s}
    otherwise: quarantine
"""
BIG = "12345678901234567890.12345"
EXTREMES = f"""
    SELECT CAST({{n}} AS int) AS n, CAST('{BIG}' AS decimal(30,5)) AS big, X'00FF' AS bin,
    parse_json('{{{{"a": [1.10, "x"], "b": {BIG}}}}}') AS v, map(1, 'one', 2, NULL) AS m,
    TIMESTAMP_NTZ '+10000-01-01 00:00:00.000001' AS t,
    array(named_struct('x', -0.0D, 'y', double('NaN'))) AS s, DATE '0001-01-01' AS d,
    TIMESTAMP '9999-12-31 23:59:59.999999' AS i, '' AS e, CAST(NULL AS string) AS z
"""


def deliver_parquet(lake: Lake, path: str, sql: str) -> None:
    """Delivers the rows of a query as one Parquet file."""
    lake.spark.sql(sql).coalesce(1).write.mode("overwrite").parquet(str(lake.root / "made"))
    (file,) = (lake.root / "made").glob("*.parquet")
    lake.deliver(path, file.read_bytes())


def as_text(frame: DataFrame, *left_out: str) -> list[tuple[str, ...]]:
    """Each row as texts of its values and types, without the platform's columns."""
    types = {name: kind for name, kind in frame.dtypes if name not in left_out and not name.startswith("_")}
    # Each variant has its own type: an object differs from equal text.
    functions = {name: "schema_of_variant" if kind == "variant" else "typeof" for name, kind in types.items()}
    columns = [
        f"concat_ws(':', {of}({quoted(name)}), CAST({quoted(name)} AS string))"
        for name, of in functions.items()
    ]
    return [tuple(map(str, row)) for row in frame.selectExpr(*columns).collect()]


def test_released_values_equal_the_delivered_ones(lake: Lake) -> None:
    csv = "source: {files: csv/*.csv, format: csv}\ncolumns: {n: int, big: 'decimal(30,5)', bin: binary}\n"
    parquet = "source: {files: pq/*.parquet, format: parquet}\n"
    lake.declare("bronze.texts", csv + RULE % 5)
    lake.declare("bronze.typed", parquet + RULE % 5)
    lake.deliver("csv/a.csv", f"n,big,bin\n1,1.5,x\n9,{BIG},y==\n")
    deliver_parquet(lake, "pq/a.parquet", EXTREMES.format(n=1) + " UNION ALL " + EXTREMES.format(n=9))
    lake.done()
    assert [row["big"] for _, row in lake.quarantine("bronze.texts")] == [float(BIG)]
    lake.declare("bronze.texts", csv + RULE % 10)
    lake.declare("bronze.typed", parquet + RULE % 10)
    for table in ("bronze.texts", "bronze.typed"):
        done = lake.release(table)
        assert (done.chosen, done.released, done.left) == (1, 1, 0)
    texts = lake.table("bronze.texts").where("n = 9").selectExpr("CAST(big AS string)", "CAST(bin AS string)")
    assert [tuple(row) for row in texts.collect()] == [(BIG, "y==")]
    typed = lake.table("bronze.typed")
    assert as_text(typed.where("n = 9"), "n") == as_text(typed.where("n = 1"), "n")


MERGE = "load: {merge: {key: [id], newest_by: [at, seq]}}\n"
QUERY = "SELECT CAST(id AS int) AS id, to_timestamp(at) AS at, CAST(seq AS decimal(30,10)) AS seq, CAST(n AS int) AS n"


def test_rows_are_released_into_tables_with_types_from_the_query(lake: Lake) -> None:
    lake.declare("bronze.src", "source: {files: src/*.csv, format: csv}\n")
    lake.declare("silver.t", MERGE + RULE % 5, QUERY + " FROM bronze.src")
    lake.declare("gold.a", "load: append\n" + RULE % 5, QUERY + " FROM bronze.src")
    head = "id,at,seq,n\n"
    lake.deliver("src/a.csv", head + "9,2024-01-01,10,1\n10,2024-01-01,9,2\n11,2024-01-03,1,3\n")
    lake.deliver(
        "src/b.csv", head + "9,2024-01-02,9,7\n10,2024-01-01,10,8\n11,2024-01-02,5,9\n12,2024-01-01,1,6\n"
    )
    lake.done()
    lake.declare("silver.t", MERGE + RULE % 10, QUERY + " FROM bronze.src")
    lake.declare("gold.a", "load: append\n" + RULE % 10, QUERY + " FROM bronze.src")
    some = lake.release("silver.t", "id > 9 AND array_contains(reasons, 'n_to_be_between')")
    assert (some.chosen, some.released, some.left, some.superseded) == (3, 3, 0, 1)
    rest = lake.release("silver.t")
    assert (rest.chosen, rest.released, rest.left, rest.superseded) == (1, 1, 0, 0)
    assert lake.release("gold.a").released == 4
    expected = [(9, 7), (10, 8), (11, 3), (12, 6)]
    assert sorted(lake.rows("silver.t", "id", "n")) == expected
    assert len(lake.rows("gold.a")) == 7
    released, appended = lake.rows("silver.t"), lake.rows("gold.a")
    lake.done()
    assert (lake.rows("silver.t"), lake.rows("gold.a")) == (released, appended), "as after a rebuild"
    assert lake.quarantine("silver.t") == lake.quarantine("gold.a") == []


KEYS = {
    "dec": "CAST(CAST({k} AS string) || '.123456789012345678' AS decimal(30,18))",
    "bin": "CAST(concat('key', {k}, X'FF') AS binary)",
    "dbl": "CASE {k} WHEN 1 THEN -0.0D WHEN 2 THEN double('NaN') ELSE 0.1D END",
    "ts": "TIMESTAMP '2024-01-01 00:00:00' + make_dt_interval(0, 0, 0, {k} / 1000000)",
    "day": "CASE {k} WHEN 1 THEN DATE '0001-01-01' WHEN 2 THEN DATE '9999-12-31' ELSE DATE '2024-01-01' END",
    "st": "named_struct('a', {k}, 'b', CAST(NULL AS string))",
}


def test_entries_are_re_evaluated_by_typed_keys_and_counted_once(lake: Lake) -> None:
    keys = ", ".join(KEYS)
    lake.declare("bronze.src", "source: {files: src/*.parquet, format: parquet}\n")
    lake.declare(
        "silver.t",
        f"load: {{merge: {{key: [{keys}], newest_by: [n]}}}}\n" + RULE % 5,
        f"SELECT {keys}, n FROM bronze.src",
    )
    made = [
        f"SELECT {', '.join(f'{sql.format(k=k)} AS {name}' for name, sql in KEYS.items())}, {n} AS n"
        for k in (1, 2, 3)
        for n in (1, 2, 3, 90 + k)
    ]
    deliver_parquet(lake, "src/a.parquet", " UNION ALL ".join(made))
    lake.done()
    expected = lake.quarantine("silver.t")
    assert len(expected) == 3
    for n in (1, 2):
        DeltaTable.forPath(lake.spark, lake.path("bronze.src")).delete(f"n = {n}")
        done = lake.done("silver.t")["silver.t"]
        assert [commit.mode for commit in done.commits] == ["incremental"]
        assert done.counts.balanced
        assert done.counts.quarantined == 3, "the load re-evaluated them"
        assert lake.quarantine("silver.t") == expected


def test_entries_in_the_former_layout_are_released_and_re_evaluated(lake: Lake) -> None:
    types = (
        "CAST(id AS bigint) AS id, try_cast(n AS int) AS n, map(id, '{\"a\": 1}') AS m, "
        "CAST(id + 0.5 AS double) AS f, binary(s) AS bin"
    )
    lake.declare(
        "bronze.src",
        "source: {files: src/*.csv, format: csv}\ncolumns: {id: int, n: 'decimal(30,5)', s: string}\n"
        + RULE % 5,
    )
    lake.declare("silver.t", "load: {merge: {key: [id]}}\n" + RULE % 4, f"SELECT {types} FROM bronze.src")
    lake.deliver("src/a.csv", f"id,n,s\n1,1,a\n2,5,\xe4\n2,4,keep\n3,{BIG},it's\n4,x,'\n")
    lake.done()
    for table in ("bronze.src", "silver.t"):
        path = lake.begin().quarantine_path(table)
        former = lake.spark.read.format("delta").load(path)
        former = former.select("id", "run_id", "counter", "held_at", "reasons", "row", "takes_back")
        former.localCheckpoint().write.format("delta").mode("overwrite").option(
            "overwriteSchema", "true"
        ).save(path)
    DeltaTable.forPath(lake.spark, lake.path("bronze.src")).delete("n = 4")
    lake.done()
    assert [row["id"] for _, row in lake.quarantine("silver.t")] == [2], "re-evaluated, and counted once"
    rule = RULE % 5
    lake.declare("silver.t", "load: {merge: {key: [id]}}\n" + rule, f"SELECT {types} FROM bronze.src")
    lake.declare(
        "bronze.src",
        "source: {files: src/*.csv, format: csv}\ncolumns: {id: int, n: 'decimal(30,5)', s: string}\n",
    )
    assert (lake.release("silver.t").released, lake.release("bronze.src", "n = 'x'").released) == (1, 0)
    assert lake.release("bronze.src", f"n = '{BIG}'").released == 1
    released = lake.rows("silver.t")
    found = lake.table("bronze.src").where("id = 3").selectExpr("CAST(n AS string)", "s").collect()
    assert [tuple(row) for row in found] == [(BIG, "it's")]
    assert 2 in [row[0] for row in released]
    lake.done(rebuild=["silver.t"])
    assert [row for row in lake.rows("silver.t") if row[0] == 2] == [row for row in released if row[0] == 2]


def test_changed_type_of_bronze_is_reported_before_the_next_file(lake: Lake) -> None:
    declared = "source: {files: o/*.csv, format: csv}\ncolumns: {id: int, n: int}\n"
    lake.declare("bronze.o", declared)
    lake.declare("silver.o", "load: append", "SELECT id, n FROM bronze.o")
    lake.deliver("o/a.csv", "id,n\n1,1\n2,1.5\n")
    lake.done()
    lake.declare("bronze.o", declared.replace("n: int", "n: 'decimal(9,2)'"))
    steps = {step.table: step for step in preview(lake.spark, lake.begin(), ["bronze.o", "silver.o"])}
    assert steps["bronze.o"].action == "fail"
    assert "has the type int, and is now declared as decimal(9,2)" in steps["bronze.o"].reason
    with pytest.raises(RunError) as refused:
        lake.release("bronze.o")
    for error in (lake.failed("bronze.o").error, refused.value):
        assert error is not None
        assert error.code == "GS405"
        assert "--rebuild bronze.o" in str(error.hint)
    lake.done(rebuild=["bronze.o"])
    assert [str(n) for _, n in lake.rows("silver.o", "id", "n")] == ["1.00", "1.50"]
    assert lake.quarantine("bronze.o") == []


def test_quarantine_show_prints_the_original_row_with_exact_numbers(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.declare("bronze.src", "source: {files: src/*.csv, format: csv}\n")
    lake.declare(
        "silver.t",
        "load: append\n" + RULE % 5,
        "SELECT CAST(n AS int) AS n, CAST(big AS decimal(30,5)) AS big FROM bronze.src",
    )
    lake.deliver("src/a.csv", f"n,big\n7,{BIG}\n8,2.5\n")
    lake.done()

    @contextmanager
    def opened(*_: object, **__: object) -> Iterator[SparkSession]:
        """The tests' session, as the command would stop its own."""
        yield lake.spark

    for module in (quarantine_commands, opening):
        monkeypatch.setattr(module, "open_spark", opened)
    goldsmith = command(monkeypatch, capsys)
    shown = goldsmith("quarantine", "show", "silver.t", "--json", "--where", "n < 8", folder=lake.root)
    assert [item["row"] for item in json.loads(shown.out)] == [{"n": 7, "big": BIG}]
    shown = goldsmith("quarantine", "show", "silver.t", folder=lake.root)
    assert BIG in "".join(shown.out.split())
    for wrong in ("nothing = 1", "CAST(CAST(big AS string) AS int) > 1", "n >"):
        for name in ("show", "release"):
            ended = goldsmith("quarantine", name, "silver.t", "--where", wrong, folder=lake.root)
            assert (ended.code, "GS203" in ended.err) == (Exit.WRONG_CALL, True), (name, wrong, ended.err)


LATER = [
    "SELECT 1 AS a, 'x' AS `Größe, in cm`, NULL AS nothing, array() AS none, map() AS nobody",
    "SELECT 1BD AS A, 'y' AS `Größe, in cm`, CAST(NULL AS int) AS nothing, named_struct('x y', 1, 'X Y', 2) AS none",
    "SELECT 'text' AS a, 1.5BD AS `Größe, in cm`, INTERVAL '1-2' YEAR TO MONTH AS nothing",
    "SELECT array(map(named_struct('a b', 1), X'FF')) AS none, array(named_struct('x', NULL, 'y', 1)) AS z",
    "SELECT map(1, timestamp_ntz'+12345-01-01 00:00:00.000001') AS `a.b`, float('NaN') AS f, -0.0D AS g",
    "SELECT parse_json('{\"a\": 1.10}') AS a, date'+10000-01-01' AS `a``b`, CAST('x' AS varchar(3)) AS c",
    "SELECT NULL AS a",
]


def test_quarantine_stores_rows_of_any_columns_and_types(spark: SparkSession, tmp_path: Path) -> None:
    """Changed types, names that differ in case, and names and types that Delta refuses are not converted."""
    quarantine = QuarantineTable(spark, str(tmp_path / "q"))
    for number, sql in enumerate([*LATER, *LATER]):
        rows = spark.sql(sql)
        judged = rows.selectExpr(
            "*",
            f"'quarantine' AS {OUTCOME}",
            f"array('r') AS {REASONS}",
            f"CAST(NULL AS map<string,string>) AS {BAD}",
        )
        entries = EntryBatch(str(number % len(LATER)), number, datetime.now(UTC))
        assert quarantine.add(judged, rows.columns, entries).rows == 1
    log = TableLog(str(tmp_path / "none"))
    groups = original_rows(spark, None, quarantine.entries(99), log, {})  # type: ignore[arg-type]
    assert len(groups) == len(LATER)
    for rows_of_one in groups:
        ((run_id,),) = rows_of_one.frame.select(BY).distinct().collect()
        entered = spark.sql(LATER[int(run_id)])
        back = rows_of_one.frame.select(*named(entered.columns))
        # Nested void is stored as string: Spark cannot cast to void.
        wanted = [
            tuple(re.sub(r"(?<=[<,:])void", "string", text) for text in row) for row in as_text(entered)
        ]
        assert as_text(back) == wanted * 2
