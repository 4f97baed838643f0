"""Translates exceptions of Spark and of storage to GoldsmithErrors."""

from __future__ import annotations

import re
from urllib.parse import unquote

from pyspark.errors import PythonException

from goldsmith.engine.conditions import (
    conditions,
    has_cause,
    java_causes,
    messages,
)
from goldsmith.engine.s3 import access_denied, clock_skew, missing_bucket, unreachable_store
from goldsmith.engine.unreadable import ZIP_CODEC, missing_module, unreadable_file
from goldsmith.errors import GoldsmithError, NotReady, RunError, SourceError, StorageError, Where

LOG_STORE_HINT = (
    "Put goldsmith-logstore.jar next to the jars of S3A: `goldsmith spark install` with this profile builds it and "
    "prints its path."
)

ZIP_HINT = (
    "`goldsmith spark install` builds it with a JDK (openjdk-17-jdk-headless): goldsmith-files.jar. On a cluster that "
    "does not get it from the driver, put it into the jars of Spark."
)

NO_EXECUTOR = "the Spark master gave it no executor"
"""The reason of a cancelled job, which Spark repeats in the job's error."""

_NO_RESPONSE = (
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
_PYTHON_FRAME = re.compile(r'\s+File "(.+)", line (\d+)')
_LIBRARY = re.compile(r"/(?:site-packages|dist-packages|pyspark|lib/python3[^/]*)/|\.zip/|^<")


def explained(error: Exception, *, table: str, path: str) -> GoldsmithError:
    """Translates an exception of Spark or of the storage to a GoldsmithError."""
    where = Where(table=table)
    everything = "\n".join(messages(error))
    no_executor = _no_executor(everything)
    if no_executor is not None:
        return no_executor
    if path.startswith("s3a://"):
        store_error = _store_error(error, everything, table, path)
        if store_error is not None:
            return store_error
    if "No space left on device" in everything:
        return StorageError(
            "GS402",
            "The disk is full.",
            where=Where(file=path, table=table),
            retryable=True,
            hint="Free space and run again: nothing was committed, and the next run continues.",
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
            hint="Check its owner and whether it is mounted read-only.",
        )
    if (
        "Mkdirs failed to create" in everything
        or "mkdir of" in everything
        or isinstance(error, NotADirectoryError | FileExistsError)
    ):
        return StorageError(
            "GS402",
            "The table's folder cannot be created.",
            where=Where(file=path, table=table),
            hint="Check that its parent folder exists, its owner, and whether it is mounted read-only.",
        )
    if ZIP_CODEC in everything and has_cause(error, "ClassNotFoundException"):
        return NotReady("GS902", "Spark has no reader of ZIP files.", where=where, hint=ZIP_HINT)
    unreadable = unreadable_file(everything)
    if unreadable is not None:
        address, problem = unreadable
        return _file_error(f"{problem}.", re.sub("^file:/+", "/", unquote(address)), table)
    in_python = isinstance(error, PythonException) or has_cause(error, "PythonException")
    module = missing_module(everything) if in_python else None
    if module is not None:
        return NotReady(
            "GS903",
            f"Executors read Avro files with Python, which lacks {module} there.",
            where=where,
            hint="Install Goldsmith with the extra `avro` on the executors, in the Python of PYSPARK_PYTHON.",
        )
    raised = raised_in_python(everything) if in_python else None
    if raised is not None:
        message, file, line = raised
        return RunError(
            "GS206",
            f"The table's code failed on a row: {message}",
            where=Where(file=file, line=line, table=table),
            hint="Correct it and run again: nothing was written.",
        )
    damaged = (
        has_cause(error, "EOFException", "ZipException", "DataFormatException", "ZstdIOException")
        or _DAMAGED.search(everything) is not None
    )
    if damaged or "FAILED_READ_FILE" in "".join(conditions(error)):
        return _unreadable(everything, damaged, table, path)
    return RunError("GS403", _spark_message(error), where=where, hint=_hint(conditions(error)))


def raised_in_python(message: str) -> tuple[str, str | None, int | None] | None:
    """The exception of a Python function in a Spark worker, with the file and line of the project's code.

    message: the text of Spark's exception, which contains the worker's traceback. None if it does not.
    """
    _, found, stack = message.partition("Traceback (most recent call last):\n")
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


def _store_error(error: Exception, everything: str, table: str, path: str) -> GoldsmithError | None:
    """The error of an object store, or of one that does not respond; None for other errors."""
    bucket = path.removeprefix("s3a://").split("/", 1)[0]
    where = Where(file=path, table=table)
    if has_cause(error, "ConditionIgnoredException"):
        text = next(text for text in messages(error) if "GS420 " in text)
        message, _, hint = _first_line(text[text.index("GS420 ") + 6 :]).partition(" Nothing was committed. ")
        return StorageError("GS420", message, where=where, hint=hint or None)
    if "io.goldsmith.logstore.ConditionalS3LogStore" in everything and has_cause(
        error, "ClassNotFoundException"
    ):
        return NotReady(
            "GS902", "The log store for S3 is not on Spark's class path.", where=where, hint=LOG_STORE_HINT
        )
    if "RequestTimeTooSkewed" in everything:
        return clock_skew()
    if has_cause(error, "UnknownStoreException"):
        return missing_bucket(bucket)
    if has_cause(error, "AccessDeniedException", "CredentialInitializationException"):
        return access_denied(bucket, _first_line(everything))
    if has_cause(error, *_NO_RESPONSE):
        return unreachable_store(re.sub(r"^\w*(?:Exception|Error): ", "", _spark_message(error)))
    return None


_DAMAGED = re.compile(r"unexpected end of stream|crc error|CRC failure|not a gzip file|bad block header")
"""Messages of exceptions about compressed files that have no class of their own."""


def _unreadable(everything: str, damaged: bool, table: str, path: str) -> GoldsmithError:
    """The error for a file that Spark cannot read: a delivered file, or a data file of a table."""
    message = "A file cannot be read to its end: it is damaged or truncated."
    if not damaged:
        message = f"A file cannot be read: {_first_line(everything)}"
    file = _file_in(everything)
    where = Where(file=file, table=table)
    warehouse = path.rsplit("/", 2)[0] + "/"
    if file is not None and file.startswith(warehouse):
        owner = ".".join(file.removeprefix(warehouse).split("/")[:2])
        hint = f"Rebuild `{owner}`, whose data file it is: `goldsmith run {owner} --rebuild {owner}`."
        return StorageError("GS302", message, where=where, hint=hint)
    return _file_error(message, file, table)


def _file_error(message: str, file: str | None, table: str) -> SourceError:
    """The error for a delivered file that cannot be read."""
    return SourceError(
        "GS302",
        message,
        where=Where(file=file, table=table),
        retryable=True,
        hint="Deliver the file again under the same name, or move it out of the landing folder.",
    )


_URI = r"(?:file:|s3a?://)"
_ENCODED = re.compile(rf"reading file ({_URI}\S+?)\.?(?:\s|$)")
_IN_TEXT = re.compile(rf"({_URI}[^\n]+?) (?:is not a Parquet file|does not exist)")
_FIRST_WORD = re.compile(rf"({_URI}[^\s,'\"]+)")


def _file_in(messages: str) -> str | None:
    """The path of the file named in messages: encoded in Spark's messages, plain in others."""
    if found := _ENCODED.search(messages):
        address = unquote(found[1])
    elif found := _IN_TEXT.search(messages) or _FIRST_WORD.search(messages):
        address = found[1].rstrip(".")
    else:
        return None
    return re.sub("^file:/+", "/", address)


def _spark_message(error: BaseException) -> str:
    """The innermost message with a condition, else the innermost message; without Java's stack."""
    best = innermost = ""
    for cause in java_causes(error):
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
        return "Use `try_cast(...)` in the query and an expectation that the column is not NULL, or declare the column's type."
    if any(condition.startswith("DIVIDE_BY_ZERO") for condition in found):
        return "Use `try_divide(a, b)` or `nullif(b, 0)`."
    if any(condition.startswith("ARITHMETIC_OVERFLOW") for condition in found):
        return "Use a wider type, or functions such as `try_add`."
    return None


def _no_executor(message: str) -> NotReady | None:
    """The error for a job that was cancelled with NO_EXECUTOR; None for other messages."""
    if NO_EXECUTOR not in message:
        return None
    return NotReady(
        "GS909",
        "A job was cancelled: the Spark master gave it no executor.",
        hint="Check on the master's page which applications use its cores, and that a worker has "
        "`spark.executor.cores` cores. The profile's `spark.wait_for_cores` is the time limit.",
        retryable=True,
    )
