"""Completes the names of tables and columns, keywords and functions in the shell of `goldsmith sql`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from typing_extensions import override

from goldsmith.project.names import tables_in
from goldsmith.project.sql.functions import AGGREGATES, KNOWN

COMMANDS: Mapping[str, str] = {
    "\\d": "list the tables; `\\d TABLE` lists its columns",
    "\\q": "leave, as Ctrl-D",
    "\\?": "print this help",
}
"""The commands of the shell and what they do."""

_KEYWORDS = """
    ALL AND AS ASC BETWEEN BY CASE CAST CROSS CUBE DESC DESCRIBE DISTINCT ELSE END EXCEPT EXISTS EXPLAIN FALSE FROM FULL
    GROUP HAVING IN INNER INTERSECT IS JOIN LATERAL LEFT LIKE LIMIT NOT NULL ON OR ORDER OVER PARTITION QUALIFY RIGHT
    RLIKE ROLLUP SELECT SHOW TABLESAMPLE THEN TRUE UNION USING VALUES WHEN WHERE WINDOW WITH
"""

_WORD = re.compile(r"[\\\w.`]+$")


class SqlCompleter(Completer):
    """Completes the word before the cursor. columns: the columns of a table by its full name, empty if not loaded."""

    def __init__(self, tables: Sequence[str], columns: Callable[[str], Iterable[str]]) -> None:
        self._tables = tuple(tables)
        self._columns = columns
        self._known: dict[str, tuple[str, ...]] = {}

    @override
    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor
        found = _WORD.search(before)
        word = found[0] if found else ""
        if before.lstrip().startswith("\\") and not before.lstrip().startswith("\\d "):
            candidates: Iterable[tuple[str, str]] = COMMANDS.items()
        elif before.lstrip().startswith("\\"):
            candidates = ((name, "table") for name in self._tables)
        else:
            candidates = self._candidates(document.text)
        folded = word.lower()
        for name, what in candidates:
            if name.lower().startswith(folded) and name.lower() != folded:
                yield Completion(name, -len(word), display_meta=what)

    def _candidates(self, text: str) -> Iterable[tuple[str, str]]:
        read = [name for name in tables_in(text) if name in self._tables]
        for table in read:
            yield from ((column, table) for column in self._columns_of(table))
        yield from ((name, "table") for name in self._tables)
        yield from ((word, "keyword") for word in _KEYWORDS.split())
        yield from ((name, "function") for name in sorted(AGGREGATES | KNOWN))

    def _columns_of(self, table: str) -> tuple[str, ...]:
        if table not in self._known:
            self._known[table] = tuple(self._columns(table))
        return self._known[table]
