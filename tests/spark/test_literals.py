"""Values of every Spark type, passed between queries as literals and used as keys of loads."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import BinaryType, StringType, TimestampType

from goldsmith.engine.ingest.shape import parsed
from goldsmith.engine.row_literals import (
    frame_of_literals,
    groupable,
    in_values,
    literal_of,
    range_of,
    type_text,
)
from support.lake import Lake
from support.properties import Upstream

VALUES: dict[str, tuple[str, ...]] = {
    "boolean": ("true", "false"),
    "tinyint": ("-128Y", "127Y"),
    "smallint": ("-32768S", "32767S"),
    "int": ("-2147483648", "2147483647"),
    "bigint": ("-9223372036854775808L", "9223372036854775807L"),
    "float": ("'NaN'", "'-0.0'", "'1.4E-45'", "'3.4028235E38'", "'-Infinity'"),
    "double": ("'NaN'", "'-0.0'", "'4.9E-324'", "'0.1'", "'Infinity'"),
    "decimal(38,18)": ("'99999999999999999999.999999999999999999'", "'0.000000000000000001'", "0", "-5"),
    "decimal(38,0)": ("'-99999999999999999999999999999999999999'",),
    "date": (
        "date_from_unix_date(2147483647)",
        "date_from_unix_date(-2147483648)",
        "'0000-01-01'",
        "'-0001-01-01'",
        "'20240-01-01'",
    ),
    "timestamp": (
        "timestamp_micros(9223372036854775807)",
        "timestamp_micros(-9223372036854775808)",
        "timestamp_micros(1)",
        "'2013-11-03 05:30:00Z'",
        "'2013-11-03 06:30:00Z'",
    ),
    "timestamp_ntz": (
        "'+294247-01-10 04:00:54.775807'",
        "'-290308-12-21 19:59:05.224193'",
        "'2013-11-03 01:30:00'",
    ),
    "string": (
        "''",
        "'a b'",
        "'it\\'s \\\\ `\"'",
        "unhex('00')",
        "'ends\\n'",
        r"'\$\{env:HOME}'",
        "'Zürich😀'",
        "unhex('EDA080')",
        "'NULL'",
    ),
    "binary": ("X''", "X'00FF'"),
    "interval year to month": ("make_ym_interval(178956970, 7)", "INTERVAL '-1-2' YEAR TO MONTH"),
    "interval day to second": (
        "make_dt_interval(106751991, 4, 0, 54.775807)",
        "INTERVAL '-1 02:03:04.000005' DAY TO SECOND",
    ),
    "struct<`a b```:int,d:double,s:string>": (
        "named_struct('a', 1, 'd', double('-0.0'), 's', 'it\\'s')",
        "named_struct('a', NULL, 'd', NULL, 's', NULL)",
    ),
    "struct<d:decimal(38,18),t:tinyint,f:float>": (
        "named_struct('d', 0.5, 't', 1, 'f', 0.1)",
        "named_struct('d', -12345678901234567890.123456789012345678, 't', NULL, 'f', 'NaN')",
    ),
    "array<decimal(12,2)>": ("array(1)", "array(1, NULL, 1234567890.12)"),
    "array<string>": ("array()", "array(NULL)", "array('a', NULL, 'it\\'s')"),
    "array<struct<x:array<date>>>": ("array(named_struct('x', array(DATE '2020-01-01', NULL)), NULL)",),
}


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_literals_of_every_type_round_trip(spark: SparkSession, zone: str) -> None:
    session = spark.newSession()
    session.conf.set("spark.sql.session.timeZone", zone)
    for type_, values in VALUES.items():
        listed = ", ".join(f"(CAST({value} AS {type_}))" for value in (*values, "NULL"))
        frame = session.sql(f"SELECT c FROM VALUES {listed} AS t(c)")
        kind = frame.schema["c"].dataType
        assert groupable(kind)
        literals = [tuple(row) for row in frame.selectExpr(literal_of("c", kind)).collect()]
        assert len(set(literals)) == len(values) + 1
        back = frame_of_literals(session, literals, {"c": kind})
        assert back.schema["c"].dataType == kind
        text = "unix_micros(c)" if isinstance(kind, TimestampType) else "CAST(c AS string)"
        text = "hex(c)" if isinstance(kind, BinaryType | StringType) else text
        assert back.selectExpr(text).collect() == frame.selectExpr(text).collect(), type_
        assert frame.where(in_values(["c"], literals)).count() == len(literals), type_
        assert frame.where(in_values(["c", "c"], [pair * 2 for pair in literals])).count() == len(literals), (
            type_
        )


def test_maps_and_variants_have_no_literals() -> None:
    for text in ("map<int,string>", "variant", "struct<a:array<map<int,int>>>"):
        assert not groupable(parsed(text))
    assert type_text(parsed("struct<`a b`:array<int>>")) == "struct<`a b`: array<int>>"


def test_range_includes_its_values_and_lists_few_days(spark: SparkSession) -> None:
    days = spark.sql("SELECT c FROM VALUES (DATE '9999-12-30'), (DATE '+10000-01-01'), (NULL) AS t(c)")
    found = days.selectExpr(range_of("c", days.schema["c"].dataType)).collect()[0][0]
    assert found == "IN (DATE '9999-12-30', DATE '9999-12-31', DATE '+10000-01-01', NULL)"
    assert days.where(f"c {found}").count() == 2
    wide = spark.sql("SELECT date_from_unix_date(c) AS c FROM VALUES (-2147483648), (2147483647) AS t(c)")
    found = wide.selectExpr(range_of("c", wide.schema["c"].dataType)).collect()[0][0]
    assert found.startswith("BETWEEN DATE '-5877641")
    assert wide.where(f"c {found}").count() == 2
    numbers = spark.sql("SELECT c FROM VALUES (9), (10) AS t(c)")
    assert (
        numbers.selectExpr(range_of("c", numbers.schema["c"].dataType)).collect()[0][0] == "BETWEEN 9 AND 10"
    )
    none = spark.sql("SELECT CAST(NULL AS date) AS c")
    assert none.selectExpr(range_of("c", none.schema["c"].dataType)).collect()[0][0] is None


@pytest.mark.parametrize("zero", ["0.0", "-0.0"])
@pytest.mark.parametrize("kind", ["float", "double"])
def test_condition_finds_both_zeros_in_dictionaries(
    spark: SparkSession, tmp_path: Path, kind: str, zero: str
) -> None:
    """Parquet's filters compare the entries of a dictionary bit by bit. Repeated values have a dictionary."""
    path = str(tmp_path / "zeros")
    spark.sql(f"SELECT {kind}('{zero}') AS v FROM range(0, 5, 1, 1)").write.parquet(path)
    for condition in (
        "v = 0",
        "v = -0.0",
        "v IN (0.0, 2.5)",
        "v BETWEEN -0.0 AND 0.0",
        "v <= -0.0 AND v >= 0.0",
    ):
        assert spark.read.parquet(path).where(condition).count() == 5, condition
    zeros = spark.read.option("parquet.filter.dictionary.enabled", True).parquet(path)
    for spelt in ("0.0", "-0.0"):
        for others in ([], [(f"{kind}('2.5')",)]):
            assert zeros.where(in_values(["v"], [(f"{kind}('{spelt}')",), *others])).count() == 5
        only = spark.sql(f"SELECT {kind}('{spelt}') AS v")
        (found,) = only.selectExpr(f"{range_of('v', only.schema['v'].dataType)} AS found").collect()
        assert zeros.where(f"v {found.found}").count() == 5


def test_days_beyond_year_9999_are_valid_keys_and_partitions(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "day date, n int")
    lake.declare("silver.t", "load: {merge: {key: day, newest_by: n}}", "SELECT day, n FROM bronze.src")
    lake.declare("gold.parts", "load: {overwrite_partitions: {by: day}}", "SELECT day, n FROM bronze.src")
    day = "date_from_unix_date(6673000)"
    lake.spark.sql(f"SELECT {day} AS day, 1 AS n").write.format("delta").save(source.path)
    lake.done("silver", "gold")
    for statement, expected in (
        (f"INSERT INTO {{t}} SELECT {day}, 2", [2]),
        ("DELETE FROM {t} WHERE n = 2", [1]),
    ):
        source.sql(statement)
        done = lake.done("silver", "gold")
        assert {outcome.commits[0].mode for outcome in done.values()} == {"incremental"}
        assert [n for (n,) in lake.rows("silver.t", "n")] == expected
        assert lake.table("gold.parts").where(f"day = {day}").count() == lake.table("bronze.src").count()


STORED = {
    "bo": "boolean",
    "ti": "tinyint",
    "si": "smallint",
    "bi": "bigint",
    "fl": "float",
    "do": "double",
    "de": "decimal(38,18)",
    "da": "date",
    "ts": "timestamp",
    "nt": "timestamp_ntz",
    "st": "string",
    "by": "binary",
    "sr": "struct<d:double,s:string>",
    "ar": "array<string>",
}
ROWS = {
    1: "true, -128, -32768, -9223372036854775808L, 'NaN', 'NaN', '99999999999999999999.999999999999999999', "
    "date_from_unix_date(2147483647), timestamp_micros(9223372036854775807), '+294247-01-10 04:00:54.775807', "
    "unhex('EDA080'), X'00FF', named_struct('d', double('NaN'), 's', 'it\\'s'), array('\\n', NULL)",
    2: "false, 127, 32767, 9223372036854775807L, '-0.0', '-0.0', '0.000000000000000001', "
    "date_from_unix_date(-2147483648), timestamp_micros(-9223372036854775808), '-290308-12-21 19:59:05.224193', "
    "'it\\'s \\\\', X'', named_struct('d', NULL, 's', NULL), array()",
    3: "true, 0, 0, 0, '1.5', '0.1', 0, '2013-01-01', '2013-11-03 05:30:00Z', '2013-11-03 01:30:00', '', X'01', "
    "named_struct('d', 1.5, 's', ''), array('')",
}


@pytest.fixture
def every(lake: Lake) -> Upstream:
    source = Upstream(
        lake, "bronze.src", "id int, n int, " + ", ".join(f"{k} {v}" for k, v in STORED.items())
    )
    columns = ", ".join(
        f"CAST(c{at} AS {type_}) AS `{name}`" for at, (name, type_) in enumerate(STORED.items())
    )
    for id_, values in ROWS.items():
        names = ", ".join(f"c{at}" for at in range(len(STORED)))
        frame = lake.spark.sql(f"SELECT {id_} AS id, 1 AS n, {columns} FROM VALUES ({values}) AS t({names})")
        frame.write.format("delta").mode("append").save(source.path)
    return source


def test_keys_and_partitions_of_every_type_follow_updates_and_deletes(
    lake: Lake, every: Upstream, full_counts: bool
) -> None:
    """A row is quarantined and re-evaluated by incremental loads."""
    if not full_counts:
        pytest.skip("every type in every load takes minutes: make faults")
    keys = ", ".join(STORED)
    rule = "expectations: [{condition: n < 10, name: small, otherwise: quarantine}]"
    lake.declare(
        "gold.parts", f"load: {{overwrite_partitions: {{by: [{keys}]}}}}\n{rule}", "SELECT * FROM bronze.src"
    )
    lake.declare(
        "gold.one", f"load: {{overwrite_partitions: {{by: [sr]}}}}\n{rule}", "SELECT * FROM bronze.src"
    )
    lake.declare("silver.t", f"load: {{merge: {{key: [{keys}]}}}}\n{rule}", "SELECT * FROM bronze.src")
    tables = ("gold.parts", "gold.one", "silver.t")
    lake.done("silver", "gold")
    for statement, expected, quarantined in (
        ("UPDATE {t} SET n = 2", [(1, 2), (2, 2), (3, 2)], 0),
        ("UPDATE {t} SET n = 10 WHERE id IN (1, 2)", [(3, 2)], 2),
        ("UPDATE {t} SET n = 5 WHERE id = 2", [(2, 5), (3, 2)], 1),
        ("UPDATE {t} SET n = 6 WHERE id = 1", [(1, 6), (2, 5), (3, 2)], 0),
        ("DELETE FROM {t} WHERE id IN (1, 3)", [(2, 5)], 0),
        ("DELETE FROM {t}", [], 0),
    ):
        every.sql(statement)
        done = lake.done("silver", "gold")
        for table in tables:
            assert done[table].commits[0].mode == "incremental", done[table].warnings
            assert lake.rows(table, "id", "n") == expected, (table, statement)
            assert len(lake.quarantine(table)) == quarantined, (table, statement)
