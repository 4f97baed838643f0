"""Status, plans and rows that are read without a JVM equal those that Spark reads."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import DataType

from goldsmith.engine.delta import delta_rs
from goldsmith.engine.delta.delta_rs import NeedsSpark
from goldsmith.engine.delta.log import TableLog
from goldsmith.errors import DeclarationError
from goldsmith.project.column_types import canonical_type, same_type
from goldsmith.run.first_rows import first_rows
from goldsmith.run.ledger import known_files
from goldsmith.run.preview import preview
from goldsmith.run.quarantine_entries import newest_entries
from goldsmith.run.quarantine_reasons import reasons
from goldsmith.run.quarantine_view import rows as quarantined
from goldsmith.run.readable import OPS
from goldsmith.run.table_status import table_statuses
from support.lake import Lake

_ORDERS = """
    description: Orders.
    source: {files: orders/*.csv, format: csv}
    columns: {id: int, amount: "decimal(9,2)", at: timestamp}
    expectations:
      - expect_column_values_to_be_between: {column: amount, min_value: 0}
        otherwise: quarantine
      - expect_column_values_to_not_be_null: {column: at}
        otherwise: quarantine
"""


@pytest.fixture
def orders(lake: Lake) -> Lake:
    lake.declare("bronze.orders", _ORDERS)
    lake.declare(
        "silver.orders",
        "{description: Orders., load: {merge: {key: [id]}}}",
        "SELECT id, amount, at FROM bronze.orders",
    )
    rows = ["id,amount,at", "1,1.50,2026-01-01 10:00:00", "2,-1,2026-01-01 10:00:00.25", "3,-2,", "4,x,"]
    lake.deliver("orders/1.csv", "\n".join(rows))
    lake.done()
    return lake


def test_status_and_reasons_equal_those_of_spark(orders: Lake) -> None:
    run = orders.begin()
    statuses = table_statuses(None, run)
    assert statuses == table_statuses(orders.spark, run)
    assert [(each.table, each.status, each.written, each.quarantined) for each in statuses] == [
        ("bronze.orders", "done", 1, 3),
        ("silver.orders", "done", 1, 0),
    ]
    found = reasons(None, run)
    assert found == reasons(orders.spark, run)
    assert sum(each.rows for each in found) > 3


def test_plans_equal_those_of_spark(orders: Lake) -> None:
    def plans() -> tuple[tuple[str, str], ...]:
        run = orders.begin()
        steps = preview(None, run, tuple(run.project.tables))
        assert steps == preview(orders.spark, run, tuple(run.project.tables))
        return tuple((step.table, step.action) for step in steps)

    assert plans() == (("bronze.orders", "nothing"), ("silver.orders", "nothing"))
    orders.deliver("orders/2.csv", "id,amount,at\n5,1,2026-01-01 10:00:00")
    assert plans() == (("bronze.orders", "incremental"), ("silver.orders", "look again"))
    orders.done()
    orders.declare("bronze.orders", _ORDERS.replace("id: int", "id: bigint"))
    assert plans()[0] == ("bronze.orders", "fail")
    orders.declare("bronze.orders", _ORDERS.replace("id: int", "id: integer").replace("(9,2)", "( 9, 2 )"))
    assert plans()[0] == ("bronze.orders", "nothing")


def test_files_are_known_from_the_ledger_and_from_the_rows(orders: Lake) -> None:
    orders.deliver("orders/2.csv", "id,amount,at\n5,1,2026-01-01 10:00:00")
    orders.done()
    # The digest of the listing no longer decides: the first file is known from `ops.files`.
    (orders.root / ".goldsmith/landing/orders/2.csv").unlink()
    run = orders.begin()
    assert preview(None, run, ["bronze.orders"]) == preview(orders.spark, run, ["bronze.orders"])
    assert preview(None, run, ["bronze.orders"])[0].action == "nothing"
    table, log = run.project.tables["bronze.orders"], TableLog(run.path("bronze.orders"))
    known = known_files(None, run, table, log, None)
    assert known == known_files(orders.spark, run, table, log, None)
    assert [file.path for file in known] == ["orders/2.csv", "orders/1.csv"]


def test_first_rows_equal_those_of_spark(orders: Lake) -> None:
    run = orders.begin()
    for name in ("bronze.orders", "silver.orders", *OPS[:3]):
        assert first_rows(None, run, name, 2) == first_rows(orders.spark, run, name, 2), name
    assert first_rows(None, run, "silver.orders", 1).rows[0][2] == "2026-01-01 10:00:00"


def test_tables_that_are_not_there_are_refused(orders: Lake) -> None:
    run = orders.begin()
    for name, part in {
        "gold.none": "There is no table",
        "quarantine.silver_orders": "no row was ever quarantined",
        "ops.dqops_results": "has not been loaded yet",
    }.items():
        with pytest.raises(DeclarationError, match=part) as raised:
            first_rows(None, run, name, 1)
        assert raised.value.code == "GS202"


_KEPT = """
SELECT * FROM VALUES
  (1, 1Y, 9223372036854775807L, 12345678901234567890.123456789012345678, 'a"b\\n\t\x07é/🙂\x7f', true, DATE '0001-01-01',
   TIMESTAMP '2026-03-29 01:30:00.1Z', TIMESTAMP_NTZ '9999-12-31 23:59:59.999999', NULL),
  (2, NULL, -1L, 0.000000000000000001, '', false, DATE '9999-12-31', TIMESTAMP '1582-10-05 00:00:00Z', NULL, 'x'),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
AS t(id, b, c, d, `Größe`, g, h, i, j, K)
"""


def test_quarantined_rows_equal_those_of_spark(orders: Lake) -> None:
    never = "expectations: [{condition: id < 0, name: never, otherwise: quarantine}]"
    orders.declare("gold.t", f"{{description: Values., load: overwrite, {never}}}", _KEPT)
    orders.declare(
        "gold.d", f"{{description: Values., load: overwrite, {never}}}", "SELECT 1 AS id, 0.5D AS v"
    )
    orders.done()
    orders.deliver("orders/2.csv", 'id,amount,at\n5,"1\n\xe9",2026\n6,2\n')
    orders.done()
    run = orders.begin()
    for name, count in {"bronze.orders": 6, "gold.t": 3, "silver.orders": 0}.items():
        table = run.project.tables[name]
        found = newest_entries(run, table, 10)
        assert found == quarantined(orders.spark, run, table, 10), name
        assert len(found) == count, found
        assert newest_entries(run, table, 2) == found[:2]
    with pytest.raises(NeedsSpark, match="double"):
        newest_entries(run, run.project.tables["gold.d"], 10)


_VALUES = """
SELECT * FROM VALUES
  (1Y, 1S, 1, 1L, float(0.1), 0.1D, 12345678901234567890.123456789012345678, 'a''b\\n"', true, DATE '0001-01-01',
   TIMESTAMP '0001-01-01 00:00:00Z', TIMESTAMP_NTZ '9999-12-31 23:59:59.999999', array('x', NULL)),
  (-128Y, -32768S, -2147483648, -9223372036854775808L, float('NaN'), double('-Infinity'), 0.000000000000000001, '',
   false, DATE '9999-12-31', TIMESTAMP '2026-03-29 01:30:00.1Z', TIMESTAMP_NTZ '1582-10-05 00:00:00', array()),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
AS t(a, b, c, d, e, f, g, h, i, j, k, l, m)
"""


def test_values_of_all_types_are_printed_alike(lake: Lake) -> None:
    lake.declare("gold.t", "{description: Values., load: overwrite}", _VALUES)
    lake.done()
    run = lake.begin()
    assert repr(first_rows(None, run, "gold.t", 10)) == repr(first_rows(lake.spark, run, "gold.t", 10))


@pytest.mark.parametrize(
    "value",
    ["DATE '10000-01-01'", "named_struct('a', 1)", "map('a', 1)", "X'00ff'", "array(DATE '2026-01-01')"],
)
def test_values_that_python_prints_otherwise_need_spark(lake: Lake, value: str) -> None:
    lake.declare("gold.t", "{description: A value., load: overwrite}", f"SELECT {value} AS v")
    lake.done()
    with pytest.raises(NeedsSpark):
        first_rows(None, lake.begin(), "gold.t", 10)


_OTHERS = {
    "deletion vectors": "'delta.enableDeletionVectors' = 'true'",
    "v2 checkpoints": "'delta.checkpointPolicy' = 'v2', 'delta.checkpointInterval' = '2'",
    "column mapping": "'delta.columnMapping.mode' = 'name'",
    "type widening": "'delta.enableTypeWidening' = 'true'",
    "row tracking": "'delta.enableRowTracking' = 'true'",
}


@pytest.mark.parametrize("feature", _OTHERS)
def test_tables_of_other_programs_are_read_as_spark_reads_them(
    spark: SparkSession, tmp_path: Path, feature: str
) -> None:
    path = str(tmp_path / "t")
    spark.sql(
        f"CREATE TABLE delta.`{path}` (id int, v string) USING delta TBLPROPERTIES ({_OTHERS[feature]})"
    )
    spark.sql(f"INSERT INTO delta.`{path}` SELECT id, 'a' FROM range(20)")
    spark.sql(f"DELETE FROM delta.`{path}` WHERE id % 3 = 0")
    if feature == "column mapping":
        spark.sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN v TO w")
    if feature == "type widening":
        spark.sql(f"ALTER TABLE delta.`{path}` ALTER COLUMN id TYPE bigint")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (100, 'b')")
    frame = spark.read.format("delta").load(path)
    log = TableLog(path)
    assert log.types() == dict(frame.dtypes)
    if feature == "column mapping":
        assert log.table_property("delta.columnMapping.mode") == "name"
    for version in range(log.version() + 1):
        dated = spark.read.format("delta").option("versionAsOf", version).load(path)
        assert log.types(version) == dict(dated.dtypes)
    expected = {tuple(row) for row in frame.collect()}
    try:
        found = {tuple(row.values()) for row in delta_rs.query(path, "SELECT * FROM t")}
    except NeedsSpark:
        return
    assert found == expected


def test_metadata_is_found_in_a_checkpoint(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "t")
    spark.sql(
        f"CREATE TABLE delta.`{path}` (id int, v decimal(9,2)) USING delta TBLPROPERTIES "
        "('delta.checkpointInterval' = '3', 'mine' = 'yes')"
    )
    for number in range(5):
        spark.sql(f"INSERT INTO delta.`{path}` VALUES ({number}, 1)")
    before = TableLog(path)
    expected = (before.identity(), before.types(), before.table_property("mine"), before.features())
    for file in (tmp_path / "t/_delta_log").iterdir():
        if file.suffix == ".crc" or (file.suffix == ".json" and file.stem.isdigit() and int(file.stem) < 3):
            file.unlink()
    log = TableLog(path)
    assert (log.identity(), log.types(), log.table_property("mine"), log.features()) == expected


def test_paths_that_delta_rs_would_decode_need_spark(orders: Lake, tmp_path: Path) -> None:
    path = orders.path("silver.orders")
    for name in ("a+b c", "it's #1?", "[x]{y}$Z é"):
        shutil.copytree(path, tmp_path / name / "t")
        assert len(delta_rs.query(str(tmp_path / name / "t"), "SELECT * FROM t")) == 1
    shutil.copytree(path, tmp_path / "A" / "t")
    with pytest.raises(NeedsSpark, match="percent"):
        delta_rs.query(str(tmp_path / "%41" / "t"), "SELECT * FROM t")


_KINDS = """
tinyint, smallint, int, integer, bigint, long, float, real, double, decimal, decimal(9), dec(9, 2), numeric(38,18), string,
varchar(10), char(3), boolean, date, timestamp, timestamp_ltz, timestamp_ntz, binary, array<INT>,
map<string, array<decimal(5,1)>>, struct<a: int, `odd, name`: string>, struct<a int, b struct<c: long>>
"""


def test_canonical_types_are_those_of_spark(spark: SparkSession) -> None:
    kinds, depth, start = [], 0, 0
    text = " ".join(_KINDS.split())
    for at, char in enumerate(text + ","):
        depth += (char in "<(") - (char in ">)")
        if char == "," and depth == 0 and text[:at].count("`") % 2 == 0:
            kinds.append(text[start:at].strip())
            start = at + 1
    for kind in kinds:
        parsed = DataType.fromDDL(kind)
        assert DataType.fromDDL(canonical_type(kind)) == parsed, kind
        for other in kinds:
            assert same_type(kind, other) == (parsed == DataType.fromDDL(other)), (kind, other)
