"""Errors of `goldsmith check` about expectations, without Spark."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from goldsmith.project.expectations import Expectation
from goldsmith.quality.declarations import describe, is_batch, needs_gx, problems, reference

COLUMNS = ("carrier", "distance", "dep_time", "arr_time")


def expect(kind: str, otherwise: Any = "fail", **arguments: Any) -> Expectation:
    return Expectation(kind=kind, arguments=arguments, name="x", otherwise=otherwise)


@pytest.mark.parametrize(
    "expectation",
    [
        expect("expect_column_values_to_not_be_null", "quarantine", column="carrier"),
        expect("expect_column_values_to_not_be_null", "warn", column="carrier", mostly=0.9),
        expect("expect_column_values_to_be_between", "drop", column="distance", min_value=1, max_value=None),
        expect("expect_column_values_to_be_between", column="dep_time", min_value=date(2013, 1, 1)),
        expect("expect_column_values_to_be_in_set", column="carrier", value_set=["AA", None]),
        expect("expect_column_values_to_exist_in", "quarantine", column="carrier", table="silver.airlines"),
        expect("expect_table_row_count_to_be_between", min_value=1),
        expect("expect_compound_columns_to_be_unique", column_list=["carrier", "distance"]),
        expect("expect_column_values_to_match_regex_list", column="carrier", regex_list=["A"]),
        expect("condition", "drop", condition="dep_time IS NULL OR arr_time > dep_time"),
    ],
)
def test_valid_declarations_have_no_problems(expectation: Expectation) -> None:
    assert problems(expectation, COLUMNS) == []


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        (
            expect("expect_column_values_to_not_be_nul", column="carrier"),
            "`expect_column_values_to_not_be_null`",
        ),
        (expect("expect_colum_mean_to_be_between", column="distance"), "`expect_column_mean_to_be_between`"),
        (expect("expect_column_values_to_be_increasing", column="distance"), "compares rows with each other"),
        (
            expect("expect_column_values_to_be_between", column="distance", min_valu=1, max_value=2),
            "`min_value`",
        ),
        (expect("expect_column_values_to_be_between", column="distance"), "needs `min_value` or `max_value`"),
        (
            expect("expect_column_values_to_be_between", column="distance", min_value=3, max_value=2),
            "greater",
        ),
        (expect("expect_column_values_to_be_between", column="distance", min_value=True), "not True"),
        (
            expect("expect_column_values_to_be_between", column="distance", min_value=1, max_value="9"),
            "different types",
        ),
        (expect("expect_column_values_to_be_in_set", column="carrier"), "lacks `value_set`"),
        (expect("expect_column_values_to_be_in_set", column="carrier", value_set="AA"), "a list of values"),
        (expect("expect_column_values_to_not_be_null", column="carier"), "did you mean `carrier`?"),
        (expect("expect_column_values_to_not_be_null", column="carrier", mostly=2), "from 0 to 1"),
        (
            expect("expect_column_values_to_not_be_null", "drop", column="carrier", mostly=0.5),
            "cannot drop rows",
        ),
        (
            expect("expect_column_values_to_be_unique", "quarantine", column="carrier"),
            "cannot quarantine rows",
        ),
        (
            expect("expect_column_values_to_not_be_null", column="carrier", row_condition="a"),
            "write a `condition`",
        ),
        (expect("expect_compound_columns_to_be_unique", column_list=["carrier"]), "at least two columns"),
        (
            expect(
                "expect_column_pair_values_to_be_equal",
                column_A="dep_time",
                column_B="arr_time",
                ignore_row_if="either_value_missing",
            ),
            "did you mean `either_value_is_missing`?",
        ),
        (
            expect("expect_column_values_to_match_like_pattern", column="carrier", like_pattern="a\\"),
            "backslash",
        ),
        (expect("condition", condition="dep_tim > 1"), "did you mean `dep_time`?"),
        (expect("condition", condition="dep_time >"), "does not parse"),
    ],
)
def test_each_mistake_gives_one_message(expectation: Expectation, words: str) -> None:
    (message,) = problems(expectation, COLUMNS)
    assert words in message


def test_unknown_columns_are_not_checked() -> None:
    assert problems(expect("expect_column_values_to_not_be_null", column="anything"), None) == []
    assert problems(expect("condition", condition="anything > 1"), None) == []


def test_column_names_are_case_insensitive() -> None:
    assert problems(expect("expect_column_values_to_not_be_null", column="Carrier"), COLUMNS) == []
    assert problems(expect("condition", condition="CARRIER = 'AA'"), COLUMNS) == []


@pytest.mark.parametrize(
    "sql",
    [
        "count(*) > 1",
        "row_number() OVER (ORDER BY a) = 1",
        "a IN (SELECT b FROM c)",
        "any_value(a) = 1",
        "a < current_date()",
        "rand() < 0.5",
        "a AS b",
        "SELECT 1",
    ],
)
def test_condition_may_use_only_its_row(sql: str) -> None:
    assert problems(expect("condition", condition=sql), ["a"])


def test_lambda_arguments_are_no_columns_of_a_condition() -> None:
    nested = expect("condition", condition="exists(stops, s -> s.delay > worst) AND place.lat > 1")
    assert problems(nested, ["stops", "worst", "place"]) == []
    (message,) = problems(nested, ["stops", "place"])
    assert "`worst`" in message


def test_expectations_of_batches_and_of_great_expectations() -> None:
    not_null = "expect_column_values_to_not_be_null"
    assert not is_batch(expect(not_null, column="a"))
    assert is_batch(expect(not_null, column="a", mostly=0.9))
    assert is_batch(expect("expect_column_values_to_be_unique", column="a"))
    assert not needs_gx(expect(not_null, column="a"))
    assert needs_gx(expect("expect_column_values_to_be_json_parseable", column="a"))
    assert not needs_gx(expect("expect_column_values_to_not_be_nul", column="a"))


def test_references_name_the_table_and_its_key() -> None:
    kind = "expect_column_values_to_exist_in"
    assert reference(expect(kind, column="tail", table="silver.planes", key="tailnum")) == (
        "silver.planes",
        "tailnum",
    )
    assert reference(expect(kind, column="tail", table="silver.planes")) == ("silver.planes", "tail")
    assert reference(expect("expect_column_values_to_not_be_null", column="tail")) is None


def test_description_of_an_expectation() -> None:
    between = expect("expect_column_values_to_be_between", column="distance", min_value=1, max_value=6000)
    assert describe(between) == "distance to be between (min_value 1, max_value 6000)"
    assert describe(expect("condition", condition="a > b")) == "a > b"


def test_catalog_imports_no_spark_and_judge_no_great_expectations() -> None:
    code = (
        "import sys, goldsmith.quality.declarations; assert 'pyspark' not in sys.modules; "
        "import goldsmith.quality.judge; assert 'great_expectations' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
