"""Row expectations evaluated by Great Expectations give the same verdicts in Goldsmith's one pass."""

from __future__ import annotations

import sys
from typing import Any

import great_expectations as gx
import pytest
from great_expectations.expectations.registry import get_expectation_impl
from pyspark.sql import SparkSession

from goldsmith.errors import DeclarationError, NotReady
from goldsmith.project.expectations import Expectation
from goldsmith.quality.judge import OUTCOME, evaluate, judge

CASES: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_values_to_match_regex_list", {"column": "t", "regex_list": ["^a", "[0-9]$"]}),
    (
        "expect_column_values_to_match_regex_list",
        {"column": "t", "regex_list": ["^a", "[0-9]$"], "match_on": "all"},
    ),
    ("expect_column_values_to_not_match_regex_list", {"column": "t", "regex_list": ["^a", "^2"]}),
    ("expect_column_values_to_be_json_parseable", {"column": "t"}),
    ("expect_column_values_to_match_strftime_format", {"column": "t", "strftime_format": "%Y-%m-%d"}),
    (
        "expect_column_pair_values_to_be_in_set",
        {"column_A": "i", "column_B": "j", "value_pairs_set": [[1, 1], [2, 3]]},
    ),
    ("expect_multicolumn_values_to_be_equal", {"column_list": ["i", "j"]}),
    (
        "expect_select_column_values_to_be_unique_within_record",
        {"column_list": ["i", "j"], "ignore_row_if": "any_value_is_missing"},
    ),
]
SCHEMA = "id int, t string, i int, j int"
ROWS = [
    (1, "a1", 1, 1),
    (2, '{"a": 1}', 2, 3),
    (3, "2013-01-01", None, 3),
    (4, None, None, None),
    (5, "zz", 2, 2),
]


def rules(cases: list[tuple[str, dict[str, Any]]], otherwise: Any = "warn") -> list[Expectation]:
    return [
        Expectation(kind=kind, arguments=arguments, name=f"e{number}", otherwise=otherwise)
        for number, (kind, arguments) in enumerate(cases)
    ]


def test_verdicts_equal_those_of_great_expectations(spark: SparkSession) -> None:
    frame = spark.createDataFrame(ROWS, SCHEMA).coalesce(1)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_spark("fallback", persist=False).add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    theirs = []
    for kind, arguments in CASES:
        result = batch.validate(get_expectation_impl(kind)(**arguments), result_format="BASIC")
        assert not result.exception_info.get("raised_exception", False)
        checked = result.result["element_count"] - result.result.get("missing_count", 0)
        theirs.append((kind, result.success, result.result["unexpected_count"], checked))
    verdicts = evaluate(judge(frame, rules(CASES))).verdicts
    assert [(one.kind, one.ok, one.failed, one.checked) for one in verdicts] == theirs
    assert any(one.failed for one in verdicts)


def test_failing_row_is_quarantined_and_mostly_applies_to_the_batch(spark: SparkSession) -> None:
    frame = spark.createDataFrame(ROWS, SCHEMA).coalesce(1)
    kind, arguments = CASES[0]
    judged = judge(frame, rules([(kind, arguments)], "quarantine"))
    assert [row["id"] for row in judged.frame.where(f"{OUTCOME} = 'quarantine'").collect()] == [2, 5]
    (verdict,) = evaluate(judge(frame, rules([(kind, {**arguments, "mostly": 0.5})]))).verdicts
    assert (verdict.ok, verdict.observed) == (True, "50.00%")


@pytest.mark.parametrize(
    ("kind", "arguments", "words"),
    [
        ("expect_column_values_to_be_even", {"column": "i"}, "no such expectation"),
        ("expect_column_values_to_match_regex_list", {"column": "t"}, "regex_list"),
        ("expect_column_values_to_match_regex_list", {"column": "tt", "regex_list": ["a"]}, "tt"),
        ("expect_column_values_to_be_increasing", {"column": "i"}, "compares rows"),
    ],
)
def test_expectation_refused_by_great_expectations_is_a_declaration_error(
    spark: SparkSession, kind: str, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(DeclarationError, match=words):
        judge(spark.createDataFrame(ROWS, SCHEMA), rules([(kind, arguments)]))


def test_missing_package_is_reported_with_the_install_command(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "great_expectations.execution_engine", None)
    with pytest.raises(NotReady) as missing:
        judge(spark.createDataFrame(ROWS, SCHEMA), rules(CASES[:1]))
    assert missing.value.code == "GS903"
    assert "gx" in str(missing.value.hint)
