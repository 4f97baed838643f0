"""Read-only statements, and readable messages of the Thrift Server's errors."""

from __future__ import annotations

import re

READ_ONLY = frozenset({"select", "with", "values", "show", "describe", "desc", "use"})
"""First words of read-only statements. EXPLAIN is not one: it shows tables that the user may not see."""

_SKIPPED = re.compile(r"\s+|--[^\r\n\\]*(?:\r?\n|$)|/\*(?:(?!/\*|\*/).)*\*/|\(", re.DOTALL)
"""Whitespace, comments and opening brackets. Nested comments, and comments with a backslash or a lone carriage return,
may end at a different position for Spark: they are not skipped."""
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)


def is_read_only(sql: str) -> bool:
    """Whether a statement is read-only, by its first word."""
    at = 0
    while skipped := _SKIPPED.match(sql, at):
        at = skipped.end()
    word = _WORD.match(sql, at)
    return word is not None and word[0].lower() in READ_ONLY


NO_RESPONSE = "The Thrift Server does not respond: it is starting, or it is down. Try again in a minute."
_UNREACHABLE = re.compile(
    r"Could not connect to|failed to resolve sockaddr|TSocket (?:read|sent) 0 bytes|Transport not open|unexpected exception"
)
_BEFORE = re.compile(r"^(?:Error running query: |\[\w+\] (?=[\w.]+Exception: \[)|[\w.]+Exception: )+")
"""Class names before a message. The error code in brackets is kept."""
_PLAN = re.compile(r";\s*\n(?='?[A-Z][A-Za-z]+\b).*", re.DOTALL)
"""The query plan at the end of an analysis error."""

_VERSION = re.compile(
    r"DELTA_VERSION_NOT_FOUND|DELTA_UNSUPPORTED_TIME_TRAVEL_BEYOND_DELETED_FILE_RETENTION|DELTA_NO_RECREATABLE_HISTORY_FOUND"
    r"|DELTA_LOG_FILE_NOT_FOUND|DELTA_TRUNCATED_TRANSACTION_LOG|FAILED_READ_FILE|FileNotFoundException"
)


def is_version_error(message: str) -> bool:
    """Whether an error means that the log or the files of a table version were removed."""
    return _VERSION.search(message) is not None


def connection_message(message: str) -> str:
    """The user's message for a connection error of Thrift. A refused log-in is unchanged."""
    return NO_RESPONSE if _UNREACHABLE.search(message) else message


def server_message(message: str) -> str:
    """The user's message for an error of the server: its first lines, without stack traces."""
    text = re.split(r"\n\tat |\nJVM stacktrace", message, maxsplit=1)[0]
    return _PLAN.sub("", _BEFORE.sub("", text)).strip()
