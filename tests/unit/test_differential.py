"""The differential tester itself: deterministic drawing, exact comparison, shrinking."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from differential.bronze import check_columns
from differential.case import Case, Declared
from differential.delta_table import Commit, DeltaTable, difference
from differential.drawing import draw
from differential.failing import Failed
from differential.mutating import ROOT
from differential.mutations import MUTATIONS
from differential.shrink import reductions, shrink
from differential.values import KINDS, civil, days, json_text, plain_text, read_back, stored


def test_seed_draws_the_same_case_in_every_process() -> None:
    here = [draw(seed).as_json() for seed in (1, 2, 77)]
    code = "from differential.drawing import draw; import json; print(json.dumps([draw(s).as_json() for s in (1, 2, 77)]))"
    for salt in ("0", "1"):
        environment = {"PYTHONPATH": str(ROOT / "tests"), "PYTHONHASHSEED": salt}
        printed = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=True
        )
        assert json.loads(printed.stdout) == here


def test_case_round_trip_through_json() -> None:
    for seed in range(50):
        case = draw(seed)
        assert Case.of_json(case.as_json()).as_json() == case.as_json()


def test_seeds_reach_every_type_load_and_step() -> None:
    drawn = [draw(seed) for seed in range(600)]
    text = "\n".join(case.as_json() for case in drawn)
    assert [name for name in KINDS if f'"{name}"' not in text] == []
    steps = Counter(step["do"] for case in drawn for step in case.steps)
    for step in ("release", "rebuild", "declare", "restore", "sql", "maintain", "drop", "remove"):
        assert steps[step] > 2, step
    for part in (
        "WITH",
        "OVER (",
        "DISTINCT",
        "UNION ALL",
        "INTERSECT",
        "EXCEPT",
        "LATERAL",
        "EXISTS",
        "FULL JOIN",
        "<=>",
    ):
        assert part in text, part
    for part in (
        "merge",
        "append",
        "overwrite_partitions",
        "delete_when",
        "as_loaded",
        "expect_column_values_to_exist_in",
    ):
        assert part in text, part


def _table(path: Path, name: str, values: pa.Array, kind: Any) -> DeltaTable:
    log = path / "_delta_log"
    log.mkdir(parents=True)
    pq.write_table(pa.table({name: values}), path / "part.parquet")
    fields = [{"name": name, "type": kind, "nullable": True, "metadata": {}}]
    actions = [
        {"metaData": {"schemaString": json.dumps({"fields": fields})}},
        {"add": {"path": "part.parquet", "dataChange": True}},
    ]
    (log / f"{0:020}.json").write_text("\n".join(map(json.dumps, actions)))
    return DeltaTable(path)


DIFFERENT = [
    (pa.array([0.0]), pa.array([-0.0])),
    (pa.array([math.nan]), pa.array([None], pa.float64())),
    (pa.array([Decimal("1.50")]), pa.array([Decimal("1.51")])),
    (pa.array([1, 1]), pa.array([1])),
    (pa.array([""]), pa.array([None], pa.string())),
    (pa.array([[0.0]]), pa.array([[-0.0]])),
    (pa.array([b"a"]), pa.array([b"a\0"])),
    (pa.array([True]), pa.array([1])),
]


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_comparison_is_exact(tmp_path: Path, left: pa.Array, right: pa.Array) -> None:
    one, other = _table(tmp_path / "a", "v", left, "any"), _table(tmp_path / "b", "v", right, "any")
    assert difference(one.rows(), other.rows())
    assert not difference(one.rows(), DeltaTable(tmp_path / "a").rows())


def test_comparison_includes_decimal_scale_and_treats_nan_as_equal(tmp_path: Path) -> None:
    one = _table(tmp_path / "a", "v", pa.array([Decimal("1.50")]), "decimal(9,2)")
    other = _table(tmp_path / "b", "v", pa.array([Decimal("1.5")]), "decimal(9,1)")
    assert one.types() != other.types()
    nan = _table(tmp_path / "c", "v", pa.array([math.nan]), "double")
    assert not difference(nan.rows(), DeltaTable(tmp_path / "c").rows())


def test_dates_beyond_year_9999_are_read(tmp_path: Path) -> None:
    far = days(20240, 1, 1)
    table = _table(tmp_path / "a", "v", pa.array([far], pa.int32()).cast(pa.date32()), "date")
    assert list(table.rows()) == [(far,)]


def test_text_of_values() -> None:
    assert civil(days(20240, 2, 29)) == (20240, 2, 29)
    assert plain_text("date", days(20240, 1, 1)) == "+20240-01-01"
    assert plain_text("date", days(1, 1, 1)) == "0001-01-01"
    assert plain_text("timestamp_ntz", -1) == "1969-12-31 23:59:59.999999"
    most = KINDS["decimal(38,18)"].extreme[0]
    assert plain_text("decimal(38,18)", most) == "9" * 20 + "." + "9" * 18
    assert json_text("decimal(38,18)", most) == plain_text("decimal(38,18)", most)
    for kind in KINDS.values():
        for value in (*kind.ordinary, *kind.extreme):
            again = read_back(json.loads(json.dumps(stored(value))))
            assert repr(again) == repr(value)


def test_shrinking_keeps_only_the_failing_part() -> None:
    steps = [
        {"do": "deliver", "path": f"b/{at}.csv", "table": "bronze.b", "records": list("abcd")}
        for at in range(4)
    ]
    steps += [{"do": "run"}, {"do": "release", "table": "silver.t"}]
    tables = {
        "bronze.b": Declared({"source": {}}),
        "silver.t": Declared({"load": "overwrite"}, "SELECT a, b, c FROM bronze.b WHERE a > 1"),
    }

    def plays(case: Case) -> Failed | None:
        records = [record for step in case.steps if step["do"] == "deliver" for record in step["records"]]
        sql = case.tables["silver.t"].sql if "silver.t" in case.tables else ""
        return (
            Failed("rows", "silver.t", "")
            if "c" in records and "b" in str(sql).partition("FROM")[0]
            else None
        )

    found = shrink(Case(1, tables, steps), Failed("rows", "silver.t", ""), plays, seconds=20)
    assert [step["records"] for step in found.case.steps] == [["c"]]
    assert found.case.tables["silver.t"].sql == "SELECT b FROM bronze.b"


def test_reductions_of_sql_are_shorter() -> None:
    sql = "SELECT a, b FROM x JOIN y ON x.a = y.a WHERE a > 1 UNION ALL SELECT a, b FROM z"
    found = list(reductions(sql))
    assert "SELECT a, b FROM z" in found
    assert all(len(text) < len(sql) for text in found)


def test_each_mutation_can_be_applied() -> None:
    for mutation in MUTATIONS:
        text = (ROOT / "src" / mutation.file).read_text(encoding="utf-8")
        assert text.count(mutation.old) == 1, mutation.name


def test_changed_value_of_a_parquet_file_is_detected(tmp_path: Path) -> None:
    moments = pa.array([0, 1], pa.timestamp("us", "UTC"))
    delivered = {"Id": pa.array([1, 2], pa.int32()), "at": moments, "text": pa.array(["5", "x"])}
    pq.write_table(pa.table(delivered), tmp_path / "a.parquet")
    written = {
        "Id": delivered["Id"],
        "at": moments.cast(pa.timestamp("us")),
        "text": pa.array([5, None]),
        "_run": delivered["text"],
    }
    table = DeltaTable(tmp_path / "table")
    for version, rows in enumerate(
        (
            pa.table(written),
            pa.table(written).slice(1),
            pa.table(written | {"at": moments[:1].cast(pa.timestamp("us")).take([0, 0])}),
        )
    ):
        (tmp_path / "table").mkdir(exist_ok=True)
        pq.write_table(rows, tmp_path / f"table/{version}.parquet")
        table.commits.append(Commit(version, "WRITE", {}, {}, {f"{version}.parquet": {}}))
    for version in (0, 1):
        check_columns(table, version, [tmp_path / "a.parquet"], "bronze.t")
    with pytest.raises(Failed, match="its files do not"):
        check_columns(table, 2, [tmp_path / "a.parquet"], "bronze.t")
