"""What Superset may send to the Thrift Server, statements that read, and what the server's trouble is called."""

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
    r"Could not connect to|failed to resolve sockaddr|TSocket read 0 bytes|TTransportException|Connection refused"
    r"|Connection reset by peer|Broken pipe",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"^(?:Error running query: |\[\w+\] (?=[\w.]+Exception: \[)|[\w.]+Exception: )+")
"""The names of classes before a message; its own code in brackets stays."""
_FIRST = re.compile(r'errorMessage="(.*)"\s*\)', re.DOTALL)


def told(message: str) -> str:
    """What PyHive's error says to a reader: the server's own first lines, without the call stacks it sends along."""
    found = _FIRST.search(message)
    if found is None:
        return AWAY if _AWAY.search(message) else message
    text = found[1].replace("\\n", "\n").replace("\\t", "\t")
    text = text.split("\n\tat ")[0].split("\nJVM stacktrace")[0]
    return _BEFORE.sub("", text).strip()
