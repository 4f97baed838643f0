"""Outcomes, reasons and counts of rows, including unusual values."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from goldsmith.errors import DeclarationError
from goldsmith.project.expectations import Expectation
from goldsmith.quality.judge import OUTCOME, REASONS, Counts, Verdict, evaluate, failing_rows, judge


def expect(
    kind: str, otherwise: Any = "warn", name: str | None = None, ignore_nulls: bool = False, **arguments: Any
) -> Expectation:
    return Expectation(
        kind=kind, arguments=arguments, name=name or kind, otherwise=otherwise, ignore_nulls=ignore_nulls
    )


def condition(sql: str, otherwise: Any = "warn", name: str = "c", ignore_nulls: bool = False) -> Expectation:
    return expect("condition", otherwise, name, ignore_nulls, condition=sql)


def one(frame: DataFrame, expectation: Expectation, **options: Any) -> Verdict:
    return evaluate(judge(frame, [expectation], **options)).verdicts[0]


def outcomes(frame: DataFrame, expectations: list[Expectation], **options: Any) -> list[tuple[Any, ...]]:
    judged = judge(frame, expectations, **options).frame
    return [tuple(row) for row in judged.orderBy("id").select("id", REASONS, OUTCOME).collect()]


@pytest.fixture(scope="module")
def numbers(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([(1, 5), (2, 15), (3, 25), (4, None)], "id int, v int")


def test_most_severe_violation_decides_and_all_are_reasons(numbers: DataFrame) -> None:
    expectations = [
        condition("id < 4", "warn", "w"),
        condition("v < 20", "drop", "d", ignore_nulls=True),
        condition("v < 10", "quarantine", "q", ignore_nulls=True),
        condition("id <> 3", "fail", "f"),
    ]
    assert outcomes(numbers, expectations) == [
        (1, [], "keep"),
        (2, ["q"], "quarantine"),
        (3, ["d", "q", "f"], "fail"),
        (4, ["w"], "keep"),
    ]
    assert outcomes(numbers, expectations[:3])[2] == (3, ["d", "q"], "quarantine")
    assert outcomes(numbers, expectations[:2])[2] == (3, ["d"], "drop")


def test_earlier_violations_come_first_and_quarantine(numbers: DataFrame) -> None:
    earlier = "CASE WHEN id <= 2 THEN array('v is not an int') END"
    found = outcomes(numbers, [condition("id > 1", "drop", "d")], reasons=earlier)
    assert found[:3] == [
        (1, ["v is not an int", "d"], "quarantine"),
        (2, ["v is not an int"], "quarantine"),
        (3, [], "keep"),
    ]
    assert outcomes(numbers, [], reasons=earlier)[0] == (1, ["v is not an int"], "quarantine")
    assert outcomes(numbers, [])[0] == (1, [], "keep")


@pytest.mark.parametrize(("ignore_nulls", "outcome"), [(False, "drop"), (True, "keep")])
def test_null_condition_fails_unless_nulls_are_ignored(
    numbers: DataFrame, ignore_nulls: bool, outcome: str
) -> None:
    rule = condition("v < 100", "drop", ignore_nulls=ignore_nulls)
    assert [found[2] for found in outcomes(numbers, [rule])] == ["keep", "keep", "keep", outcome]


@pytest.mark.parametrize("seed", range(2))
def test_rows_in_equal_the_sum_of_all_outcomes(spark: SparkSession, seed: int) -> None:
    rng = random.Random(seed)
    rows = [tuple(rng.choice([None, 0, 1, 2]) for _ in range(4)) for _ in range(200)]
    frame = spark.createDataFrame(rows, "a int, b int, c int, d int").coalesce(1)
    orders = rng.sample(["warn", "drop", "quarantine", "fail"] * 2, 6)
    rules = [
        condition(
            f"{rng.choice('abcd')} {rng.choice(['<', '<>'])} {rng.choice('abcd')} + {rng.randint(0, 1)}",
            otherwise,
            f"r{number}",
            rng.random() < 0.5,
        )
        for number, otherwise in enumerate(orders)
    ]
    judged = judge(frame, rules)
    evaluated = evaluate(judged)
    counts, verdicts = evaluated.counts, evaluated.verdicts
    assert counts.rows_in == 200
    assert counts.rows_in == counts.kept + counts.dropped + counts.quarantined + counts.failed
    by_outcome = Counter(row[OUTCOME] for row in judged.frame.collect())
    assert counts == Counts(200, *(by_outcome[key] for key in ("keep", "drop", "quarantine", "fail")))
    conditions = [f"coalesce({rule.arguments['condition']}, {rule.ignore_nulls})" for rule in rules]
    passed = frame.selectExpr(*(f"count_if({sql})" for sql in conditions)).collect()[0]
    assert [(one.checked, one.failed) for one in verdicts] == [(200, 200 - count) for count in passed]


def test_batch_expectations_exclude_rejected_rows(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(1, 1), (1, 900), (2, 3), (3, None)], "id int, v int")
    rules = [
        expect("expect_column_values_to_be_between", "quarantine", column="v", max_value=100),
        expect("expect_column_values_to_be_unique", "fail", column="id"),
        expect("expect_column_mean_to_be_between", "fail", column="v", max_value=10),
        expect("expect_table_row_count_to_be_between", "fail", min_value=4),
        expect("expect_column_values_to_not_be_null", "fail", column="v", mostly=0.6),
    ]
    judged = judge(frame, rules)
    between, unique, mean, rows, mostly = evaluate(judged).verdicts
    assert (between.checked, between.failed, between.ok) == (3, 1, False)
    assert (unique.checked, unique.failed, unique.ok) == (3, 0, True)
    assert (mean.observed, mean.ok) == ("2.0", True)
    assert (rows.observed, rows.ok) == ("3", False)
    assert (mostly.observed, mostly.failed, mostly.ok) == ("66.67%", 1, True)
    assert failing_rows(judged, [rules[0].name])[rules[0].name] == ['{"id":1,"v":900}']
    assert failing_rows(judged, [rules[4].name])[rules[4].name] == ['{"id":3,"v":null}']
    assert failing_rows(judged, [rules[2].name])[rules[2].name] == []


def test_one_job_evaluates_all_expectations_except_uniqueness(
    spark: SparkSession, numbers: DataFrame
) -> None:
    rules = [
        condition("v > 1"),
        expect("expect_column_mean_to_be_between", column="v", min_value=0),
        expect("expect_column_max_to_be_between", column="v", min_value=0),
        expect("expect_column_values_to_not_be_null", column="v", mostly=0.5),
    ]
    judged = judge(numbers, rules)
    spark.sparkContext.setJobGroup("evaluation", "test")
    evaluate(judged)
    jobs = spark.sparkContext.statusTracker().getJobIdsForGroup("evaluation")
    spark.sparkContext.setJobGroup("other", "test")
    assert len(jobs) <= 2, "adaptive execution counts the stage before the shuffle as a job of its own"


def test_samples_of_duplicates_are_their_keys(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(1, "a"), (1, "a"), (2, "b")], "id int, t string")
    judged = judge(frame, [expect("expect_compound_columns_to_be_unique", name="u", column_list=["id", "t"])])
    assert failing_rows(judged, ["u"])["u"] == ['{"id":1,"t":"a"}']


def test_values_must_exist_in_a_lookup(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(1, "N1"), (2, "N9"), (3, None)], "id int, tail string")
    planes = spark.createDataFrame([("N1",), ("N1",), (None,)], "tailnum string")
    rule = expect(
        "expect_column_values_to_exist_in",
        "quarantine",
        "x",
        column="tail",
        table="silver.planes",
        key="tailnum",
    )
    lookups = {"silver.planes": planes}
    assert [found[2] for found in outcomes(frame, [rule], lookups=lookups)] == ["keep", "quarantine", "keep"]
    verdict = one(frame, rule, lookups=lookups)
    assert (verdict.checked, verdict.failed) == (2, 1)
    share = rule.model_copy(update={"arguments": {**rule.arguments, "mostly": 0.5}, "otherwise": "fail"})
    assert one(frame, share, lookups=lookups).ok
    assert failing_rows(judge(frame, [share], lookups=lookups), ["x"])["x"] == ['{"id":2,"tail":"N9"}']
    with pytest.raises(DeclarationError) as missing:
        judge(frame, [rule])
    assert missing.value.code == "GS202"


def test_lookup_may_be_the_table_itself_or_have_keys_of_another_type(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(1, None), (2, 1), (3, 7)], "id int, parent int")
    rule = expect("expect_column_values_to_exist_in", "drop", column="parent", table="silver.t", key="id")
    assert [row[2] for row in outcomes(frame, [rule], lookups={"silver.t": frame})] == [
        "keep",
        "keep",
        "drop",
    ]
    text = spark.createDataFrame([("1",), ("not a number",)], "id string")
    assert [row[2] for row in outcomes(frame, [rule], lookups={"silver.t": text})] == ["keep", "keep", "drop"]


TEXT_CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("values_to_be_between", {"column": "t", "min_value": 1, "max_value": 5}, ["abc", "", "7"]),
    ("values_to_be_between", {"column": "t", "min_value": date(2013, 1, 1)}, ["abc", "", "3.0", "7"]),
    ("values_to_be_in_set", {"column": "t", "value_set": [3, "abc"]}, ["", "7"]),
    ("values_to_not_be_in_set", {"column": "t", "value_set": [3]}, ["3.0"]),
    ("pair_values_to_be_equal", {"column_A": "t", "column_B": "n"}, ["abc", "", "7"]),
    (
        "pair_values_a_to_be_greater_than_b",
        {"column_A": "n", "column_B": "t", "or_equal": True},
        ["abc", "", "7"],
    ),
    ("values_to_match_like_pattern", {"column": "t", "like_pattern": "%b%"}, ["", "3.0", "7"]),
    ("values_to_not_match_like_pattern", {"column": "t", "like_pattern": "_"}, ["7"]),
]


def test_text_values_fail_without_an_error(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("abc", 3), ("", 3), ("3.0", 3), ("7", 3)], "t string, n int")
    rules = [
        expect(f"expect_column_{kind}", name=f"e{number}", **arguments)
        for number, (kind, arguments, _) in enumerate(TEXT_CASES)
    ]
    rules.append(expect("expect_multicolumn_sum_to_equal", name="sum", column_list=["t", "n"], sum_total=6))
    rows = judge(frame, rules).frame.collect()
    found = {rule.name: [row["t"] for row in rows if rule.name in row[REASONS]] for rule in rules}
    assert found == {
        **{f"e{number}": failing for number, (_, _, failing) in enumerate(TEXT_CASES)},
        "sum": ["abc", "", "7"],
    }


def test_sums_do_not_overflow(spark: SparkSession) -> None:
    most = 2**63 - 1
    frame = spark.createDataFrame([(most, most), (most, 0)], "a bigint, b bigint")
    rule = expect("expect_multicolumn_sum_to_equal", column_list=["a", "b"], sum_total=2 * most)
    assert one(frame, rule).failed == 1
    total = one(
        frame, expect("expect_column_sum_to_be_between", column="a", min_value=2 * most, max_value=2 * most)
    )
    assert (total.ok, total.observed) == (True, str(2 * most))


def test_columns_may_be_struct_fields_or_have_quoted_names(spark: SparkSession) -> None:
    frame = spark.sql("SELECT named_struct('lat', 40.7D) AS place, 'x' AS `the code`, 1 AS `a.b`")
    rules = [
        expect("expect_column_values_to_be_between", name="1", column="place.lat", min_value=50),
        expect("expect_column_values_to_be_in_set", name="2", column="the code", value_set=["y"]),
        expect("expect_column_values_to_be_in_set", name="3", column="a.b", value_set=[2]),
        expect("expect_column_values_to_be_unique", name="4", column="a.b"),
    ]
    judged = judge(frame, rules)
    assert judged.frame.collect()[0][REASONS] == ["1", "2", "3"]
    assert [verdict.failed for verdict in evaluate(judged).verdicts] == [1, 1, 1, 0]
    assert judged.frame.columns == ["place", "the code", "a.b", REASONS, OUTCOME]


@pytest.mark.parametrize(
    ("rule", "code", "words"),
    [
        (condition("v >"), "GS103", "does not parse"),
        (condition("w > 1"), "GS203", "`w`"),
        (condition("v + 1"), "GS103", "not boolean"),
        (expect("expect_column_values_to_not_be_null", column="idd"), "GS203", "`idd`"),
        (expect("expect_column_values_to_be_in_set", column="t", value_set=[False]), "GS103", "False"),
        (expect("expect_column_values_to_be_between", column="v", min_value="soon"), "GS103", "'soon'"),
        (
            expect("expect_column_values_to_be_between", column="v", min_value=date(2013, 1, 1)),
            "GS103",
            "`v`",
        ),
        (expect("expect_column_values_to_match_regex", column="t", regex="(a"), "GS103", "(a"),
        (expect("expect_column_mean_to_be_between", column="t", min_value=1), "GS103", "`t` (string)"),
        (expect("expect_column_values_to_be_of_type", column="t", type_="strin"), "GS103", "`strin`"),
        (expect("expect_column_pair_values_to_be_equal", column_A="v", column_B="d"), "GS103", "`d` (date)"),
    ],
)
def test_invalid_expectation_is_reported_before_rows_are_read(
    spark: SparkSession, rule: Expectation, code: str, words: str
) -> None:
    frame = spark.createDataFrame([], "id int, v int, t string, d date")
    with pytest.raises(DeclarationError) as refused:
        evaluate(judge(frame, [rule]))
    assert refused.value.code == code
    assert words in str(refused.value)


def test_two_expectations_cannot_share_a_name(numbers: DataFrame) -> None:
    with pytest.raises(DeclarationError, match="`c`"):
        judge(numbers, [condition("v > 1"), condition("v > 2")])


def test_judged_frame_may_be_cached(numbers: DataFrame) -> None:
    judged = judge(numbers, [condition("v > 10", "drop")])
    cached = replace(judged, frame=judged.frame.cache())
    assert evaluate(cached) == evaluate(judged)
    cached.frame.unpersist()
