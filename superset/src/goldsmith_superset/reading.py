"""What Superset may send to the Thrift Server, statements that read, and what trouble is called."""

from __future__ import annotations

import re

READING = frozenset({"select", "with", "values", "show", "describe", "desc", "use"})
"""How a statement that reads begins. EXPLAIN does not: it tells of tables that its reader may not see."""

_SKIPPED = re.compile(r"\s+|--[^\r\n\\]*(?:\r?\n|$)|/\*(?:(?!/\*|\*/).)*\*/|\(", re.DOTALL)
"""Blanks, comments and open brackets. Comments within comments, and those with a backslash or half a line's end, may
end at another place for Spark: they are not skipped."""
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)


def reads(sql: str) -> bool:
    """Whether a statement does nothing but read, as its first word says."""
    at = 0
    while skipped := _SKIPPED.match(sql, at):
        at = skipped.end()
    word = _WORD.match(sql, at)
    return word is not None and word[0].lower() in READING


AWAY = "The Thrift Server does not answer: it is starting, or it is down. Try again in a minute."
_AWAY = re.compile(
    r"Could not connect to|failed to resolve sockaddr|TSocket (?:read|sent) 0 bytes|Transport not open|unexpected exception"
)
_BEFORE = re.compile(r"^(?:Error running query: |\[\w+\] (?=[\w.]+Exception: \[)|[\w.]+Exception: )+")
"""The names of classes before a message; its own code in brackets stays."""
_PLAN = re.compile(r";\s*\n(?='?[A-Z][A-Za-z]+\b).*", re.DOTALL)
"""The plan of the query, which an analysis error ends with."""

_VERSION = re.compile(
    r"DELTA_VERSION_NOT_FOUND|DELTA_UNSUPPORTED_TIME_TRAVEL_BEYOND_DELETED_FILE_RETENTION|DELTA_NO_RECREATABLE_HISTORY_FOUND"
    r"|DELTA_LOG_FILE_NOT_FOUND|DELTA_TRUNCATED_TRANSACTION_LOG|FAILED_READ_FILE|FileNotFoundException"
)


def is_of_a_version(message: str) -> bool:
    """Whether an error is of a table's version whose log or files are removed."""
    return _VERSION.search(message) is not None


def of_the_way(message: str) -> str:
    """What Thrift's error of a connection says to a reader. A refused log-in is told as it is."""
    return AWAY if _AWAY.search(message) else message


def of_the_server(message: str) -> str:
    """What the server's error says to a reader: its own first lines, without the call stacks that it sends along."""
    text = re.split(r"\n\tat |\nJVM stacktrace", message, maxsplit=1)[0]
    return _PLAN.sub("", _BEFORE.sub("", text)).strip()
