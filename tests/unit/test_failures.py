"""Classification of Spark's errors, without Spark."""

from __future__ import annotations

import json

import pytest
from pyspark.errors import PySparkException
from pyspark.sql.types import ArrayType, IntegerType, StructField, StructType

from goldsmith.engine.conditions import is_bad_value
from goldsmith.engine.delta.catalog import create_table_sql
from goldsmith.engine.delta.commit import read_commit
from goldsmith.engine.delta.metadata import CommitMetadata, base_in
from goldsmith.engine.failures import explained, raised_in_python
from goldsmith.engine.row_literals import in_values, type_text


class SparkError(PySparkException):
    def __init__(self, condition: str, message: str = "") -> None:
        super().__init__(message or condition)
        self._condition = condition

    def getCondition(self) -> str:  # noqa: N802 - PySpark's name
        return self._condition


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("CAST_INVALID_INPUT", True),
        ("DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION", True),
        ("INVALID_ARRAY_INDEX", True),
        ("INVALID_ATTRIBUTE_NAME_SYNTAX", False),
        ("INVALID_SCHEMA.NON_STRING_LITERAL", False),
        ("NUMERIC_LITERAL", False),
        ("CAST_WITHOUT_SUGGESTION", False),
    ],
)
def test_bad_values_are_detected_by_error_condition(condition: str, expected: bool) -> None:
    assert is_bad_value(SparkError(condition)) is expected


def test_error_of_a_python_function_names_its_line() -> None:
    message = """An exception was thrown from the Python worker. Please see the stack trace below.
Traceback (most recent call last):
  File "/x/site-packages/pyspark/worker.py", line 2000, in main
    process()
  File "/home/me/it's mine/pipelines/shop/gold/t.py", line 9, in doubled
    return int(v) * 2
           ^^^^^^
  File "/usr/lib/python3.11/decimal.py", line 3, in f
ValueError: invalid literal for int() with base 10: 'x'

\tat org.apache.spark.api.python.BasePythonRunner
"""
    expected = (
        "ValueError: invalid literal for int() with base 10: 'x'",
        "/home/me/it's mine/pipelines/shop/gold/t.py",
        9,
    )
    assert raised_in_python(message) == expected
    assert raised_in_python("Job aborted.") is None
    assert raised_in_python("Traceback (most recent call last):\nKeyError: 1") == ("KeyError: 1", None, None)


def test_commit_contains_its_base_and_schema() -> None:
    metadata = CommitMetadata("silver.t", "r", 3, "incremental", "d", foreign=("WRITE",))
    lines = [
        json.dumps({"commitInfo": {"operation": "WRITE", "userMetadata": metadata.to_json(7)}}),
        json.dumps({"metaData": {"schemaString": "{}"}}),
    ]
    commit = read_commit(9, lines)
    assert (commit.base, commit.schema) == (7, "{}")
    assert commit.metadata is not None
    assert commit.metadata.foreign == ("WRITE",)
    assert read_commit(9, lines[1:]).base is None
    assert [base_in(text) for text in (None, "base", '{"base": "x"}', '["base"]')] == [None] * 4


def test_conditions_match_null_zero_and_invalid_text() -> None:
    assert in_values(["a"], []) == "false"
    assert in_values(["a`b"], [("1",), (None,)]) == "`a``b` IN (1, NULL) OR `a``b` IS NULL"
    assert in_values(["a"], [("double('-0.0')",)]) == "abs(`a`) = 0"
    assert (
        in_values(["a"], [("float('0.0')",), ("float('2.5')",)])
        == "`a` IN (float('2.5'), NULL) OR abs(`a`) = 0"
    )
    assert in_values(["a", "b"], [("1", None)]) == "(`a` = 1 AND `b` IS NULL)"
    assert in_values(["a"], [("string(X'ED')",)]) == "CAST(`a` AS binary) IN (X'ED')"


def test_type_text_quotes_field_names() -> None:
    kind = ArrayType(StructType([StructField("a `b", IntegerType())]))
    assert type_text(kind) == "array<struct<`a ``b`: int>>"


ODD = """it's "a", %41#+[x]{y}$HOME \u00e9"""
HOME = f"/lake/{ODD}"
ENCODED = "file:///lake/it's%20%22a%22,%20%2541%23+%5Bx%5D%7By%7D$HOME%20%C3%A9"
READING = "[FAILED_READ_FILE.NO_HINT] Encountered error while reading file {}. SQLSTATE: KD001"


@pytest.mark.parametrize(
    ("message", "file"),
    [
        (READING.format(f"{ENCODED}/in/a%20b.csv.gz"), f"{HOME}/in/a b.csv.gz"),
        (f"Encountered error while reading file {ENCODED}/in/a.csv.\n\tat x.Y", f"{HOME}/in/a.csv"),
        (f"file:{HOME}/in/a.parquet is not a Parquet file. Expected magic number", f"{HOME}/in/a.parquet"),
        (f"File file:{HOME}/in/a.csv does not exist", f"{HOME}/in/a.csv"),
        (READING.format("s3a://b/in/a%2Bb.csv"), "s3a://b/in/a+b.csv"),
        ("java.io.EOFException: file:/in/a.csv, at 7", "/in/a.csv"),
        ("no file at all", None),
    ],
)
def test_unreadable_file_is_named_for_any_path(message: str, file: str | None) -> None:
    error = explained(
        SparkError("FAILED_READ_FILE.NO_HINT", message), table="bronze.t", path="/warehouse/bronze/t"
    )
    assert (error.code, error.where.file) == ("GS302", file)


@pytest.mark.parametrize("reason", ["unexpected end of stream", "gzip stream CRC failure", "crc error"])
def test_damaged_compressed_file_is_called_damaged(reason: str) -> None:
    message = READING.format(f"{ENCODED}/in/a.csv.bz2") + f"\nCaused by: java.io.IOException: {reason}"
    error = explained(
        SparkError("FAILED_READ_FILE.NO_HINT", message), table="bronze.t", path="/warehouse/bronze/t"
    )
    assert error.message == "A file cannot be read to its end: it is damaged or truncated."
    assert (error.where.file, error.retryable) == (f"{HOME}/in/a.csv.bz2", True)


def test_unreadable_data_file_of_a_table_suggests_a_rebuild() -> None:
    message = READING.format(f"{ENCODED}/warehouse/silver/o/part-0.parquet")
    error = explained(
        SparkError("FAILED_READ_FILE.NO_HINT", message), table="gold.t", path=f"{HOME}/warehouse/gold/t"
    )
    assert "--rebuild silver.o" in str(error.hint)


def test_catalog_entry_escapes_the_path() -> None:
    assert create_table_sql("gold.t", "/it's \\ a") == (
        r"CREATE TABLE IF NOT EXISTS `gold`.`t` USING delta LOCATION '/it\'s \\ a'"
    )
