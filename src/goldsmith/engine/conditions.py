"""What exceptions of Spark and Delta mean, by their error conditions and the Java exceptions behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

_CONFLICTS = (
    "ConcurrentTransactionException",
    "ConcurrentAppendException",
    "ConcurrentDeleteReadException",
    "ConcurrentDeleteDeleteException",
    "ConcurrentWriteException",
    "MetadataChangedException",
    "ProtocolChangedException",
    "PlannedFromOlderVersionException",
)
_HISTORY_GONE = (
    "DELTA_LOG_FILE_NOT_FOUND",
    "DELTA_VERSION_NOT_FOUND",
    "FAILED_READ_FILE.FILE_NOT_EXIST",
    "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE",
    "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA",
    "DELTA_MISSING_CHANGE_DATA",
    "DELTA_CDC_START_VERSION_AFTER_LATEST",
    "DELTA_INVALID_CDC_RANGE",
    "DELTA_VERSIONS_NOT_CONTIGUOUS",
    "DELTA_FILE_NOT_FOUND_DETAILED",
)
_OF_VALUES = """
ARITHMETIC_OVERFLOW BINARY_ARITHMETIC_OVERFLOW CANNOT_DECODE_URL CANNOT_PARSE_DECIMAL CANNOT_PARSE_INTERVAL
CANNOT_PARSE_JSON_FIELD CANNOT_PARSE_TIME CANNOT_PARSE_TIMESTAMP CAST_INVALID_INPUT CAST_OVERFLOW
COLLECTION_SIZE_LIMIT_EXCEEDED CONVERSION_INVALID_INPUT DATETIME_FIELD_OUT_OF_BOUNDS DATETIME_OVERFLOW
DIVIDE_BY_ZERO DUPLICATED_MAP_KEY ILLEGAL_DAY_OF_WEEK INTERVAL_ARITHMETIC_OVERFLOW INTERVAL_DIVIDED_BY_ZERO
INVALID_ARRAY_INDEX INVALID_ARRAY_INDEX_IN_ELEMENT_AT INVALID_BITMAP_POSITION INVALID_BYTE_STRING
INVALID_FRACTION_OF_SECOND INVALID_INDEX_OF_ZERO INVALID_INTERVAL_FORMAT
INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION INVALID_PARAMETER_VALUE INVALID_REGEXP_REPLACE INVALID_TIMEZONE
INVALID_URL INVALID_UTF8_STRING INVALID_VARIANT_CAST MALFORMED_CHARACTER_CODING MALFORMED_RECORD_IN_PARSING
MALFORMED_VARIANT NULL_MAP_KEY NUMERIC_OUT_OF_SUPPORTED_RANGE NUMERIC_VALUE_OUT_OF_RANGE REMAINDER_BY_ZERO
ROW_VALUE_IS_NULL USER_RAISED_EXCEPTION VARIANT_CONSTRUCTOR_SIZE_LIMIT VARIANT_DUPLICATE_KEY VARIANT_SIZE_LIMIT
"""
"""Conditions of expressions that fail for a row's value, without those of invalid queries."""


def java_causes(error: BaseException) -> Iterator[Any]:
    """The Java exceptions behind an error, outermost first."""
    current: Any = None
    if isinstance(error, Py4JJavaError):
        current = error.java_exception
    elif isinstance(error, PySparkException):
        current = getattr(error, "_origin", None)
    depth = 0
    while current is not None and depth < 20:  # noqa: PLR2004
        yield current
        current = current.getCause()
        depth += 1


def has_cause(error: BaseException, *names: str) -> bool:
    """True if a Java exception behind the error has one of these simple class names."""
    return any(str(cause.getClass().getSimpleName()) in names for cause in java_causes(error))


def is_conflict(error: BaseException) -> bool:
    """True for a conflict: another writer committed first, and the load must be planned again."""
    return has_cause(error, *_CONFLICTS) or type(error).__name__ in _CONFLICTS


def is_already_there(error: BaseException) -> bool:
    """True if a table or database already exists: by Spark's conditions or the exception of Hive's client."""
    exists = any(condition.endswith("_ALREADY_EXISTS") for condition in conditions(error))
    return exists or has_cause(error, "AlreadyExistsException")


def is_history_gone(error: BaseException) -> bool:
    """True if the versions that a change set needs can no longer be read."""
    return any(condition in _HISTORY_GONE for condition in conditions(error))


def is_bad_value(error: BaseException) -> bool:
    """True if an expression failed for a row's value."""
    return any(condition.partition(".")[0] in _OF_VALUES.split() for condition in conditions(error))


def conditions(error: BaseException) -> tuple[str, ...]:
    """The names of Spark's error conditions, outermost first."""
    found = []
    if isinstance(error, PySparkException):
        found.append(error.getCondition() or "")
    for cause in java_causes(error):
        # Only Spark's exceptions have a condition; the call would fail for others.
        if any(str(face.getSimpleName()) == "SparkThrowable" for face in _interfaces(cause)):
            found.append(str(cause.getCondition() or ""))
    return tuple(condition for condition in found if condition)


def _interfaces(cause: Any) -> Iterator[Any]:
    kind = cause.getClass()
    while kind is not None:
        yield from kind.getInterfaces()
        kind = kind.getSuperclass()


def messages(error: BaseException) -> list[str]:
    """The messages of an error and of the Java exceptions behind it."""
    return [*(str(cause.getMessage() or "") for cause in java_causes(error)), str(error)]
