"""Tells what failed in Spark: conditions and causes out of Java's exceptions, and errors a person can read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException, PythonException

from goldsmith.engine.s3 import no_bucket, refused, skewed, unreachable
from goldsmith.errors import GoldsmithError, NotReady, RunError, SourceError, StorageError, Where

LOG_STORE_HINT = (
    "Put goldsmith-logstore.jar beside the jars of S3A: `goldsmith setup` with this profile builds it and "
    "says where it is."
)

NO_EXECUTOR = "the Spark master gave it no executor"
"""Why a job is ended, as Spark repeats it in the job's error."""

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
_NO_ANSWER = (
    "ConnectException",
    "NoRouteToHostException",
    "UnknownHostException",
    "ConnectTimeoutException",
    "SocketTimeoutException",
    "NoHttpResponseException",
    "AWSNoResponseException",
    "AWSApiCallTimeoutException",
    "AWSStatus500Exception",
    "AWSServiceThrottledException",
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
"""Conditions of an expression that cannot be computed for a value of a row; none of a query that is wrong itself."""


_PYTHON_FRAME = re.compile(r'\s+File "(.+)", line (\d+)')
_LIBRARY = re.compile(r"/(?:site-packages|dist-packages|pyspark|lib/python3[^/]*)/|\.zip/|^<")


def _java(error: BaseException) -> Iterator[Any]:
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
    """True if one of Java's exceptions behind the error has a class of one of these simple names."""
    return any(str(cause.getClass().getSimpleName()) in names for cause in _java(error))


def is_conflict(error: BaseException) -> bool:
    """Another writer committed first: planning again is right."""
    return has_cause(error, *_CONFLICTS) or type(error).__name__ in _CONFLICTS


def is_made_already(error: BaseException) -> bool:
    """A table or database is in the catalog already: by Spark's conditions, or by the exception of Hive's client."""
    told = any(condition.endswith("_ALREADY_EXISTS") for condition in conditions(error))
    return told or has_cause(error, "AlreadyExistsException")


def is_history_gone(error: BaseException) -> bool:
    """The upstream's versions that a change set needs cannot be read any more."""
    return any(condition in _HISTORY_GONE for condition in conditions(error))


def is_bad_value(error: BaseException) -> bool:
    """An expression met a value that it cannot be computed for."""
    return any(condition.partition(".")[0] in _OF_VALUES.split() for condition in conditions(error))


def conditions(error: BaseException) -> tuple[str, ...]:
    """Spark's names of what went wrong, outermost first."""
    found = []
    if isinstance(error, PySparkException):
        found.append(error.getCondition() or "")
    for cause in _java(error):
        # Only Spark's own exceptions have a condition; asking others would raise.
        if any(str(face.getSimpleName()) == "SparkThrowable" for face in _interfaces(cause)):
            found.append(str(cause.getCondition() or ""))
    return tuple(condition for condition in found if condition)


def _interfaces(cause: Any) -> Iterator[Any]:
    kind = cause.getClass()
    while kind is not None:
        yield from kind.getInterfaces()
        kind = kind.getSuperclass()


def _messages(error: BaseException) -> list[str]:
    told = [str(cause.getMessage() or "") for cause in _java(error)]
    return [*told, str(error)]


def explained(error: Exception, *, table: str, path: str) -> GoldsmithError:
    """An error of Spark or of the storage as one that says what, where and what to do."""
    where = Where(table=table)
    everything = "\n".join(_messages(error))
    waited_in_vain = _no_executor(everything)
    if waited_in_vain is not None:
        return waited_in_vain
    if path.startswith("s3a://"):
        of_the_store = _of_the_store(error, everything, table, path)
        if of_the_store is not None:
            return of_the_store
    if "No space left on device" in everything:
        return StorageError(
            "GS402",
            "The disk is full.",
            where=Where(file=path, table=table),
            retryable=True,
            hint="Make room and run again: nothing was committed, and the run goes on where it stood.",
        )
    if (
        "Read-only file system" in everything
        or isinstance(error, PermissionError)
        or has_cause(error, "AccessDeniedException", "AccessControlException")
    ):
        return StorageError(
            "GS402",
            "The table's folder cannot be written.",
            where=Where(file=path, table=table),
            hint="Check who owns it and whether it is mounted read-only.",
        )
    if (
        "Mkdirs failed to create" in everything
        or "mkdir of" in everything
        or isinstance(error, NotADirectoryError | FileExistsError)
    ):
        return StorageError(
            "GS402",
            "The table's folder cannot be made.",
            where=Where(file=path, table=table),
            hint="Check that the place is there, who owns it and whether it is mounted read-only.",
        )
    in_python = isinstance(error, PythonException) or has_cause(error, "PythonException")
    raised = raised_in_python(everything) if in_python else None
    if raised is not None:
        told, file, line = raised
        return RunError(
            "GS206",
            f"The table's code failed on a row: {told}",
            where=Where(file=file, line=line, table=table),
            hint="Correct it and run again: nothing was written.",
        )
    damaged = has_cause(error, "EOFException", "ZipException", "DataFormatException")
    if damaged or "FAILED_READ_FILE" in "".join(conditions(error)):
        return _unreadable(everything, damaged, table, path)
    return RunError("GS403", _spark_message(error), where=where, hint=_hint(conditions(error)))


def raised_in_python(told: str) -> tuple[str, str | None, int | None] | None:
    """What a function of Python raised in one of Spark's workers, with the file and the line of the project's code.

    told: the text of Spark's exception, which quotes the worker's traceback. None if it quotes none.
    """
    _, found, stack = told.partition("Traceback (most recent call last):\n")
    if not found:
        return None
    frames: list[tuple[str, int]] = []
    for text in stack.splitlines():
        frame = _PYTHON_FRAME.match(text)
        if frame is not None:
            frames.append((frame[1], int(frame[2])))
        elif text and not text[0].isspace():
            own = [frame for frame in frames if not _LIBRARY.search(frame[0])]
            file, line = own[-1] if own else (None, None)
            return text, file, line
    return None


def _of_the_store(error: Exception, everything: str, table: str, path: str) -> GoldsmithError | None:
    """What an object store said, or that it said nothing; None if it is not its doing."""
    bucket = path.removeprefix("s3a://").split("/", 1)[0]
    where = Where(file=path, table=table)
    if has_cause(error, "ConditionIgnoredException"):
        told = next(text for text in _messages(error) if "GS420 " in text)
        message, _, hint = _first_line(told[told.index("GS420 ") + 6 :]).partition(" Nothing was committed. ")
        return StorageError("GS420", message, where=where, hint=hint or None)
    if "io.goldsmith.logstore.ConditionalS3LogStore" in everything and has_cause(
        error, "ClassNotFoundException"
    ):
        return NotReady(
            "GS902", "The log store for S3 is not on Spark's class path.", where=where, hint=LOG_STORE_HINT
        )
    if "RequestTimeTooSkewed" in everything:
        return skewed()
    if has_cause(error, "UnknownStoreException"):
        return no_bucket(bucket)
    if has_cause(error, "AccessDeniedException", "CredentialInitializationException"):
        return refused(bucket, _first_line(everything))
    if has_cause(error, *_NO_ANSWER):
        return unreachable(re.sub(r"^\w*(?:Exception|Error): ", "", _spark_message(error)))
    return None


def _unreadable(everything: str, damaged: bool, table: str, path: str) -> GoldsmithError:
    """A file that Spark could not read: a delivered one, or one of a table in the warehouse."""
    told = "A file cannot be read to its end: it is damaged or was cut off."
    if not damaged:
        told = f"A file cannot be read: {_first_line(everything)}"
    file = _file_in(everything)
    where = Where(file=file, table=table)
    warehouse = path.rsplit("/", 2)[0] + "/"
    if file is not None and file.startswith(warehouse):
        owner = ".".join(file.removeprefix(warehouse).split("/")[:2])
        hint = f"It is a data file of `{owner}`: `goldsmith run {owner} --rebuild {owner}` writes it anew."
        return StorageError("GS302", told, where=where, hint=hint)
    return SourceError(
        "GS302",
        told,
        where=where,
        retryable=True,
        hint="Deliver the file again under the same name, or move it out of the landing folder.",
    )


_URI = r"(?:file:|s3a?://)"
_ENCODED = re.compile(rf"reading file ({_URI}\S+?)\.?(?:\s|$)")
_IN_WORDS = re.compile(rf"({_URI}[^\n]+?) (?:is not a Parquet file|does not exist)")
_FIRST_WORD = re.compile(rf"({_URI}[^\s,'\"]+)")


def _file_in(messages: str) -> str | None:
    """The path of the file that messages name: encoded in Spark's own message, and as it is in those of others."""
    if found := _ENCODED.search(messages):
        address = unquote(found[1])
    elif found := _IN_WORDS.search(messages) or _FIRST_WORD.search(messages):
        address = found[1].rstrip(".")
    else:
        return None
    return re.sub("^file:/+", "/", address)


def _spark_message(error: BaseException) -> str:
    """The innermost message that has a condition, or the innermost of all; without Java's stack."""
    best = innermost = ""
    for cause in _java(error):
        text = _first_line(str(cause.getMessage() or ""))
        if text.startswith("["):
            best = text
        innermost = f"{cause.getClass().getSimpleName()}: {text}" if text else innermost
    return best or innermost or _first_line(str(error)) or type(error).__name__


def _first_line(text: str) -> str:
    lines = [
        line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("at ")
    ]
    return lines[0] if lines else ""


def _hint(found: tuple[str, ...]) -> str | None:
    if any(
        condition.startswith(("CAST_INVALID_INPUT", "CANNOT_PARSE", "CAST_OVERFLOW")) for condition in found
    ):
        return "Use `try_cast(...)` in the query and expect the column to be not NULL, or declare the column's type."
    if any(condition.startswith("DIVIDE_BY_ZERO") for condition in found):
        return "Use `try_divide(a, b)` or `nullif(b, 0)`."
    if any(condition.startswith("ARITHMETIC_OVERFLOW") for condition in found):
        return "Use a wider type, or `try_add` and its like."
    return None


def _no_executor(message: str) -> NotReady | None:
    """The error behind Spark's message on a job that was ended with NO_EXECUTOR; None for any other message."""
    if NO_EXECUTOR not in message:
        return None
    return NotReady(
        "GS909",
        "A job was ended: the Spark master gave it no executor.",
        hint="See on the master's page what holds its cores, and whether a worker has as many as `spark.executor.cores`"
        " asks for; the profile's `spark.wait_for_cores` says how long a job waits.",
        retryable=True,
    )
