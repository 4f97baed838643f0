"""Every expectation that Goldsmith compiles gives the same verdict as Great Expectations on Spark."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import great_expectations as gx
import pytest
from great_expectations.expectations.registry import get_expectation_impl
from pyspark.sql import DataFrame, SparkSession

from goldsmith.project.expectations import Expectation
from goldsmith.quality.judge import Verdict, evaluate, judge
from goldsmith.quality.kinds import KINDS

SCHEMA = """i int, j int, k bigint, small smallint, x double, y float, money decimal(9,2), word string,
            digits string, day date, other_day date, moment timestamp, flag boolean"""
ROWS = 300

PAIRS = ("both_values_are_missing", "either_value_is_missing", "neither")
LISTS = ("all_values_are_missing", "any_value_is_missing", "never")

ROW_CASES: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_values_to_not_be_null", {"column": "i"}),
    ("expect_column_values_to_be_null", {"column": "word"}),
    ("expect_column_values_to_be_in_set", {"column": "i", "value_set": [1, 2, 3, 1.5]}),
    ("expect_column_values_to_be_in_set", {"column": "word", "value_set": ["a", "bb", ""]}),
    (
        "expect_column_values_to_be_in_set",
        {"column": "day", "value_set": [date(2013, 1, 1), date(2013, 1, 3)]},
    ),
    ("expect_column_values_to_be_in_set", {"column": "day", "value_set": ["2013-01-01", "2013-01-04"]}),
    ("expect_column_values_to_be_in_set", {"column": "money", "value_set": [0.5, 1, 2.25]}),
    ("expect_column_values_to_be_in_set", {"column": "y", "value_set": [0.5, 0.1]}),
    ("expect_column_values_to_be_in_set", {"column": "flag", "value_set": [True]}),
    ("expect_column_values_to_be_in_set", {"column": "i", "value_set": []}),
    ("expect_column_values_to_be_in_set", {"column": "i", "value_set": ["1", "2"]}),
    ("expect_column_values_to_not_be_in_set", {"column": "i", "value_set": [4, 5]}),
    ("expect_column_values_to_not_be_in_set", {"column": "word", "value_set": ["ccc"]}),
    ("expect_column_values_to_not_be_in_set", {"column": "day", "value_set": ["2013-01-02"]}),
    ("expect_column_values_to_be_between", {"column": "i", "min_value": 1, "max_value": 4}),
    ("expect_column_values_to_be_between", {"column": "i", "min_value": 1, "strict_min": True}),
    ("expect_column_values_to_be_between", {"column": "k", "max_value": 2.5, "strict_max": True}),
    ("expect_column_values_to_be_between", {"column": "x", "min_value": -1}),
    ("expect_column_values_to_be_between", {"column": "x", "max_value": 1.5}),
    ("expect_column_values_to_be_between", {"column": "money", "min_value": 0.5, "max_value": 2}),
    (
        "expect_column_values_to_be_between",
        {"column": "day", "min_value": date(2013, 1, 2), "max_value": date(2013, 1, 4), "strict_max": True},
    ),
    ("expect_column_values_to_be_between", {"column": "day", "min_value": "2013-01-02"}),
    ("expect_column_values_to_be_between", {"column": "moment", "max_value": datetime(2013, 1, 2, 6, 0)}),
    ("expect_column_values_to_be_between", {"column": "moment", "min_value": "2013-01-02T06:00:00"}),
    ("expect_column_values_to_be_between", {"column": "moment", "min_value": date(2013, 1, 2)}),
    ("expect_column_values_to_match_regex", {"column": "word", "regex": "^[ab]"}),
    ("expect_column_values_to_match_regex", {"column": "i", "regex": "^[12]$"}),
    ("expect_column_values_to_not_match_regex", {"column": "word", "regex": "c+"}),
    ("expect_column_value_lengths_to_be_between", {"column": "word", "min_value": 1, "max_value": 2}),
    ("expect_column_value_lengths_to_be_between", {"column": "word", "min_value": 1, "strict_min": True}),
    ("expect_column_value_lengths_to_equal", {"column": "word", "value": 2}),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["i", "j", "k"], "sum_total": 6}),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["i", "money"], "sum_total": 2.5}),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["x", "j"], "sum_total": 2}),
    *[
        (
            "expect_multicolumn_sum_to_equal",
            {"column_list": ["i", "j"], "sum_total": 0, "ignore_row_if": ignore},
        )
        for ignore in LISTS[1:]
    ],
    ("expect_column_pair_values_to_be_equal", {"column_A": "i", "column_B": "x"}),
    *[
        (
            "expect_column_pair_values_to_be_equal",
            {"column_A": "day", "column_B": "other_day", "ignore_row_if": ignore},
        )
        for ignore in PAIRS[1:]
    ],
    *[
        (
            "expect_column_pair_values_a_to_be_greater_than_b",
            {"column_A": a, "column_B": b, "or_equal": or_equal, "ignore_row_if": "either_value_is_missing"},
        )
        for a, b, or_equal in (
            ("i", "j", True),
            ("day", "other_day", False),
            ("i", "x", False),
        )
    ],
]

UNIQUE_CASES: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_values_to_be_unique", {"column": "k"}),
    ("expect_column_values_to_be_unique", {"column": "x"}),
    *[
        ("expect_compound_columns_to_be_unique", {"column_list": ["i", "k"], "ignore_row_if": ignore})
        for ignore in LISTS[1:]
    ],
    ("expect_compound_columns_to_be_unique", {"column_list": ["i", "word", "day"]}),
]

AGGREGATE_CASES: list[tuple[str, dict[str, Any]]] = [
    ("expect_table_row_count_to_be_between", {"min_value": ROWS, "max_value": ROWS}),
    ("expect_table_row_count_to_be_between", {"max_value": ROWS - 1}),
    ("expect_column_mean_to_be_between", {"column": "i", "min_value": 1, "max_value": 3}),
    ("expect_column_mean_to_be_between", {"column": "money", "min_value": 1, "max_value": 1.1}),
    ("expect_column_mean_to_be_between", {"column": "x", "min_value": 0}),
    ("expect_column_sum_to_be_between", {"column": "k", "min_value": 0}),
    ("expect_column_sum_to_be_between", {"column": "small", "max_value": 5}),
    ("expect_column_sum_to_be_between", {"column": "money", "min_value": 10.5}),
    ("expect_column_min_to_be_between", {"column": "i", "min_value": 0, "max_value": 0, "strict_max": True}),
    ("expect_column_min_to_be_between", {"column": "i", "min_value": 0, "max_value": 0}),
    ("expect_column_min_to_be_between", {"column": "day", "min_value": date(2013, 1, 1)}),
    ("expect_column_max_to_be_between", {"column": "day", "max_value": date(2013, 1, 4)}),
    ("expect_column_max_to_be_between", {"column": "moment", "min_value": datetime(2013, 1, 1)}),
    ("expect_column_max_to_be_between", {"column": "x", "min_value": 0}),
    ("expect_column_max_to_be_between", {"column": "y", "min_value": 0, "strict_min": True}),
    ("expect_column_values_to_be_of_type", {"column": "i", "type_": "IntegerType"}),
    ("expect_column_values_to_be_of_type", {"column": "i", "type_": "LongType"}),
]

CASES = [*ROW_CASES, *UNIQUE_CASES, *AGGREGATE_CASES]
MOSTLY_CASES = [
    (kind, {**arguments, "mostly": mostly})
    for kind, arguments in [*ROW_CASES, *UNIQUE_CASES]
    for mostly in (0, 0.25, 0.5, 0.75)
]

WITHOUT_GX_ON_SPARK = {
    "condition",
    "expect_column_values_to_exist_in",
    "expect_column_values_to_match_like_pattern",
    "expect_column_values_to_not_match_like_pattern",
}

Found = tuple[bool, int | None, int | None]
"""Whether the expectation is met, failing rows, checked rows; the counts are None if not requested."""

Judge = Callable[..., list[Found]]


def random_rows(seed: int) -> list[tuple[Any, ...]]:
    rng = random.Random(seed)
    start = date(2013, 1, 1)

    def maybe(value: Any) -> Any:
        return None if rng.random() < 0.15 else value

    def row() -> tuple[Any, ...]:
        return (
            maybe(rng.randint(0, 5)),
            maybe(rng.randint(0, 5)),
            maybe(rng.randint(0, 60)),
            maybe(rng.randint(-3, 3)),
            maybe(rng.choice([0.0, -0.0, 1.0, 1.5, 2.0, -2.5, float("nan")])),
            maybe(rng.choice([0.5, 0.1, -1.0])),
            maybe(Decimal(rng.choice(["0.50", "1.00", "2.25", "-3.10"]))),
            maybe(rng.choice(["a", "bb", "ccc", "", "B"])),
            maybe(str(rng.randint(0, 20))),
            maybe(start + timedelta(days=rng.randint(0, 4))),
            maybe(start + timedelta(days=rng.randint(0, 4))),
            maybe(datetime(2013, 1, 1) + timedelta(hours=6 * rng.randint(0, 12))),
            maybe(rng.random() < 0.5),
        )

    return [row() for _ in range(ROWS)]


@pytest.fixture(scope="module")
def their_verdicts() -> Judge:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_spark("spark", persist=False).add_dataframe_asset("rows")
    batches = asset.add_batch_definition_whole_dataframe("all")

    def verdicts(
        frame: DataFrame, cases: list[tuple[str, dict[str, Any]]], *, counts: bool = True
    ) -> list[Found]:
        batch = batches.get_batch({"dataframe": frame})
        suite = gx.ExpectationSuite(name=f"suite {len(cases)} {id(frame)}")
        made = [get_expectation_impl(kind)(**arguments) for kind, arguments in cases]
        for number, expectation in enumerate(made):
            expectation.meta = {"number": number}
            suite.add_expectation(expectation)
        wanted = {"result_format": "BASIC" if counts else "BOOLEAN_ONLY", "partial_unexpected_count": 0}
        found: dict[int, Found] = {}
        for one in batch.validate(suite, result_format=wanted).results:
            assert not one.exception_info.get("raised_exception", False), one.exception_info
            result = one.result
            failed = result.get("unexpected_count")
            checked = None
            if failed is not None:
                checked = result["element_count"] - result.get("missing_count", 0)
            found[one.expectation_config.meta["number"]] = (bool(one.success), failed, checked)
        return [found[number] for number in range(len(cases))]

    return verdicts


def our_verdicts(frame: DataFrame, cases: list[tuple[str, dict[str, Any]]]) -> list[Verdict]:
    expectations = [
        Expectation(kind=kind, arguments=arguments, name=f"e{number}", otherwise="warn")
        for number, (kind, arguments) in enumerate(cases)
    ]
    evaluated = evaluate(judge(frame, expectations))
    counts, verdicts = evaluated.counts, evaluated.verdicts
    assert counts.kept == counts.rows_in
    return list(verdicts)


def differences(
    ours: list[Verdict], theirs: list[Found], cases: list[tuple[str, dict[str, Any]]]
) -> list[str]:
    found = []
    for verdict, (ok, failed, checked), case in zip(ours, theirs, cases, strict=True):
        counted = failed is None or (verdict.failed, verdict.checked) == (failed, checked)
        if verdict.ok != ok or not counted:
            found.append(f"{case}: ours {verdict}, theirs {(ok, failed, checked)}")
    return found


def test_every_kind_is_compared_with_great_expectations() -> None:
    assert {kind for kind, _ in CASES} == set(KINDS) - WITHOUT_GX_ON_SPARK


def test_verdicts_and_counts_equal_those_of_great_expectations(
    spark: SparkSession, their_verdicts: Judge
) -> None:
    frame = spark.createDataFrame(random_rows(1), SCHEMA).coalesce(1).cache()
    assert differences(our_verdicts(frame, CASES), their_verdicts(frame, CASES), CASES) == []
    frame.unpersist()


def test_verdicts_with_mostly_equal_those_of_great_expectations(
    spark: SparkSession, their_verdicts: Judge
) -> None:
    frame = spark.createDataFrame(random_rows(2), SCHEMA).coalesce(1).cache()
    theirs = their_verdicts(frame, MOSTLY_CASES, counts=False)
    assert differences(our_verdicts(frame, MOSTLY_CASES), theirs, MOSTLY_CASES) == []
    frame.unpersist()
    met = [ok for ok, _, _ in theirs]
    assert 0.3 < sum(met) / len(met) < 0.9


@pytest.mark.parametrize("rows", [0, 3], ids=["no rows", "only NULLs"])
def test_verdicts_without_values_equal_those_of_great_expectations(
    spark: SparkSession, their_verdicts: Judge, rows: int
) -> None:
    frame = spark.createDataFrame([(None,) * 13] * rows, SCHEMA).coalesce(1)
    cases = list(dict(reversed(CASES)).items())
    theirs = their_verdicts(frame, cases, counts=False)
    assert differences(our_verdicts(frame, cases), theirs, cases) == []


def test_comparison_with_one_null_fails_unlike_in_great_expectations(
    spark: SparkSession, their_verdicts: Judge
) -> None:
    frame = spark.createDataFrame([(1, 2), (2, 1), (None, 1), (1, None), (None, None)], "a int, b int")
    cases: list[tuple[str, dict[str, Any]]] = [
        ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "a", "column_B": "b"})
    ]
    (ours,), (theirs,) = our_verdicts(frame, cases), their_verdicts(frame, cases)
    assert theirs[1:] == (1, 4)
    assert (ours.failed, ours.checked) == (3, 4)


def test_null_in_a_set_passes_nothing_unlike_in_great_expectations(
    spark: SparkSession, their_verdicts: Judge
) -> None:
    frame = spark.createDataFrame([("a",), ("b",), (None,)], "word string")
    cases: list[tuple[str, dict[str, Any]]] = [
        ("expect_column_values_to_be_in_set", {"column": "word", "value_set": ["a", None]}),
        ("expect_column_values_to_not_be_in_set", {"column": "word", "value_set": ["a", None]}),
    ]
    assert [failed for _, failed, _ in their_verdicts(frame, cases)] == [0, 1]
    assert [verdict.failed for verdict in our_verdicts(frame, cases)] == [1, 1]
