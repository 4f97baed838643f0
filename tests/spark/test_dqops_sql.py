"""The SQL of DQOps' checks, run on Spark: it finds the same rows as Goldsmith's expectations."""

from __future__ import annotations

import pytest

from goldsmith.project.tables import Table
from goldsmith.publish.dqops.check import Subject
from goldsmith.publish.dqops.checks import map_expectations
from goldsmith.publish.dqops.load_verdicts import import_check
from goldsmith.quality.predicates import passes
from goldsmith.run.sql_query import register_tables
from support.lake import Lake

SOURCE = """
source: {files: rows/*.csv, format: csv, options: {nullValue: NA}}
columns: {id: int, n: int, m: int, x: double, code: string, day: date, at: timestamp}
"""
ROWS = r"""
id,n,m,x,code,day,at
1,1,1,0.5,ab.1,2026-01-01,2026-01-01T10:00:00Z
2,5,NA,2.5,it's,2026-02-01,2026-01-02T10:00:00Z
3,NA,3,NA,a\b,NA,NA
4,9,NA,-1.0,NA,2025-12-31,2025-01-01T00:00:00Z
5,NA,NA,1.0,AB9,2026-01-31,2026-01-01T09:59:59Z
6,2,1,1e3,x%y,2026-01-15,2026-03-01T00:00:00Z
"""
EXPECTATIONS = r"""
load: overwrite
columns: {id: int, n: int, m: int, x: double, code: string, day: date, at: timestamp}
expectations:
  - expect_column_values_to_not_be_null: {column: n}
    otherwise: warn
  - expect_column_values_to_be_null: {column: m}
    otherwise: warn
  - expect_column_values_to_be_between: {column: n, min_value: 1, max_value: 5, strict_max: true}
    otherwise: warn
  - expect_column_values_to_be_between: {column: x, min_value: 0.5}
    otherwise: warn
  - expect_column_values_to_be_between: {column: day, min_value: 2026-01-01, max_value: 2026-01-31}
    otherwise: warn
  - expect_column_values_to_be_between: {column: at, min_value: 2026-01-01T10:00:00, strict_min: true}
    otherwise: warn
  - expect_column_values_to_be_in_set: {column: n, value_set: [1, 2, null]}
    otherwise: warn
  - expect_column_values_to_not_be_in_set: {column: code, value_set: ["it's", "a\\b"]}
    otherwise: warn
  - expect_column_values_to_match_regex: {column: code, regex: "^[a-z]+[.\\\\']"}
    otherwise: warn
  - expect_column_values_to_not_match_regex: {column: code, regex: "\\d"}
    otherwise: warn
  - expect_column_values_to_match_like_pattern: {column: code, like_pattern: "%\\%%"}
    otherwise: warn
  - expect_column_values_to_not_match_like_pattern: {column: code, like_pattern: "a\\\\b%"}
    otherwise: warn
  - expect_column_value_lengths_to_be_between: {column: code, min_value: 4}
    otherwise: warn
  - expect_column_value_lengths_to_equal: {column: code, value: 3}
    otherwise: warn
  - expect_column_pair_values_to_be_equal: {column_A: n, column_B: m}
    otherwise: warn
  - expect_column_pair_values_a_to_be_greater_than_b: {column_A: n, column_B: m, or_equal: true}
    otherwise: warn
  - expect_column_pair_values_a_to_be_greater_than_b:
      {column_A: m, column_B: n, ignore_row_if: either_value_is_missing}
    name: less
    otherwise: warn
  - expect_multicolumn_sum_to_equal: {column_list: [n, m], sum_total: 3, ignore_row_if: any_value_is_missing}
    otherwise: warn
  - condition: n > m -- what is said of it
    name: judged
    otherwise: warn
  - condition: n > m
    name: lenient
    ignore_nulls: true
    otherwise: warn
"""


def verdicts(lake: Lake, table: str) -> dict[str, int]:
    """The number of rows that failed at Goldsmith, by expectation."""
    frame = lake.table("ops.expectations").where(f"table = '{table}'")
    return {row["name"]: row["failed"] for row in frame.collect()}


@pytest.fixture
def judged(lake: Lake) -> Table:
    lake.declare("bronze.rows", SOURCE)
    lake.declare("silver.rows", EXPECTATIONS, "SELECT id, n, m, x, code, day, at FROM bronze.rows")
    lake.deliver("rows/a.csv", ROWS.lstrip())
    lake.done()
    return lake.project().tables["silver.rows"]


def test_conditions_find_the_same_rows_as_the_load(lake: Lake, judged: Table) -> None:
    expected = verdicts(lake, "silver.rows")
    assert len(expected) == len(judged.spec.expectations) == sum(1 for n in expected.values() if n > 0)
    subject, found, guarded = Subject.of(judged), {}, {}
    lake.table("silver.rows").createOrReplaceTempView("rows_at_rest")
    for expectation in judged.spec.expectations:
        whole = subject.sql(passes, expectation)
        assert whole is not None, expectation.name
        # As DQOps counts: only `true` passes, so that warnings by percentage count the same rows.
        (row,) = lake.spark.sql(
            f"SELECT count_if(NOT ({whole}\n)) AS failed, count(*) - count_if({whole}\n) AS rest FROM rows_at_rest"
        ).collect()
        assert row.failed == row.rest, expectation.name
        found[expectation.name] = row.failed
    assert found == expected
    checks, without = map_expectations(judged)
    assert without == ()
    for check in checks:
        if check.name == "daily_sql_condition_failed_on_column":
            sql = f"`{check.column}` IS NOT NULL AND NOT ({check.parameters['sql_condition']})"
        elif check.name == "daily_sql_condition_passed_percent_on_table":
            sql = f"NOT ({check.parameters['sql_condition']})"
        else:
            continue
        (row,) = lake.spark.sql(f"SELECT count_if({sql}) AS failed FROM rows_at_rest").collect()
        guarded[check.expectations] = row.failed
    assert len(guarded) > 3
    for names, failed in guarded.items():
        assert failed == expected[names[0]] if len(names) == 1 else failed >= max(expected[n] for n in names)


def test_check_of_a_regex_finds_the_same_rows(lake: Lake, judged: Table) -> None:
    regex = next(e for e in judged.spec.expectations if "not_match_regex" in e.kind).arguments["regex"]
    escaped = regex.replace("\\", "\\\\")
    lake.table("silver.rows").createOrReplaceTempView("rows_at_rest")
    (row,) = lake.spark.sql(f"SELECT count_if(code REGEXP '{escaped}') AS n FROM rows_at_rest").collect()
    assert row.n == verdicts(lake, "silver.rows")["code_to_not_match_regex"]


GATED = """
load: overwrite
columns: {id: int, n: int}
fresh_within: 36h
expectations:
  - expect_column_values_to_not_be_null: {column: n}
    otherwise: quarantine
  - expect_column_values_to_be_between: {column: n, min_value: 0, max_value: 10}
  - expect_column_values_to_be_in_set: {column: n, value_set: [1, 2, 3, 7]}
    otherwise: warn
"""


def test_verdicts_of_loads_become_severities_and_are_cleared(lake: Lake) -> None:
    lake.declare("bronze.rows", "source: {files: rows/*.csv, format: csv}\ncolumns: {id: int, n: int}")
    lake.declare(
        "silver.rows", GATED, "SELECT id, n FROM bronze.rows WHERE id > (SELECT max(id) - 2 FROM bronze.rows)"
    )

    def severities() -> dict[str, tuple[int, float]]:
        run = lake.begin()
        check = import_check(run.project.tables["silver.rows"])
        assert check is not None
        query = (
            check.parameters["sql_query"].replace("{schema_name}", "silver").replace("{table_name}", "rows")
        )
        for name in ("table_runs", "expectations"):
            lake.spark.sql(f"DROP TABLE IF EXISTS ops.{name}")
        register_tables(lake.spark, run, query)
        rows = lake.spark.sql(query).collect()
        assert next(field.name for field in lake.spark.sql(query).schema) == "severity"
        return {row.grouping_level_1: (row.severity, row.actual_value) for row in rows}

    lake.deliver("rows/a.csv", "id,n\n1,5\n2,\n")
    lake.done()
    found = severities()
    age = found.pop("fresh_within")
    assert age[0] == 0
    assert 0 <= age[1] < 0.5
    assert found == {"n_to_not_be_null": (1, 1.0), "n_to_be_between": (0, 0.0), "n_to_be_in_set": (1, 1.0)}
    lake.deliver("rows/b.csv", "id,n\n3,99\n4,1\n")
    lake.failed("silver.rows")
    assert severities()["n_to_be_between"] == (2, 1.0)
    lake.deliver("rows/c.csv", "id,n\n5,1\n6,7\n")
    lake.done()
    assert {severity for severity, _ in severities().values()} == {0}
