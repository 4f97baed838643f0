"""The shell of `goldsmith sql`: statements with history and completion, and commands that begin with a backslash."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory

from goldsmith.cli.console import err, out, plural, print_error, styled, table
from goldsmith.cli.sql import answer_of, print_answer
from goldsmith.cli.sql_completion import COMMANDS, SqlCompleter
from goldsmith.engine.delta.log import TableLog
from goldsmith.errors import GoldsmithError
from goldsmith.project.sql.statements import split
from goldsmith.run.context import Run
from goldsmith.run.readable import QueryResult, loaded, paths_of, unreadable
from goldsmith.run.sql_session import SqlSession

HISTORY = Path(".goldsmith/sql_history")
"""The file of the shell's history, below the project."""

_PROMPT, _CONTINUED = "sql> ", "  -> "


class Shell:
    """Executes what is entered. limit: the maximum number of rows of an answer."""

    def __init__(self, run: Run, session: SqlSession, limit: int) -> None:
        self._run, self._session, self._limit = run, session, limit
        self._paths = paths_of(run)

    @property
    def tables(self) -> tuple[str, ...]:
        """The full names of all tables."""
        return tuple(self._paths)

    def columns(self, name: str) -> dict[str, str]:
        """The columns and types of a table, without Spark; empty if it has not been loaded."""
        path = self._paths[name]
        return TableLog(path).types() if loaded(path) else {}

    def execute(self, text: str) -> bool:
        """Executes a command, or statements one after the other until one fails. False if the shell is to end."""
        stripped = text.strip()
        try:
            if stripped.startswith("\\"):
                return self._command(stripped.rstrip(";").split())
            for statement in split(text).all:
                self._show(answer_of(self._session, statement, self._limit))
        except GoldsmithError as error:
            print_error(error)
        except KeyboardInterrupt:
            err.print("The query was cancelled.")
        return True

    def _command(self, words: Sequence[str]) -> bool:
        match words:
            case ["\\q"]:
                return False
            case ["\\d"]:
                self._list()
            case ["\\d", name]:
                self._describe(name.replace("`", "").lower())
            case ["\\?"]:
                rows = [*COMMANDS.items(), ("SELECT ...;", "a query, which ends with a semicolon")]
                out.print(table(("command", "what it does"), rows))
            case _:
                err.print(f"There is no command `{' '.join(words)}`. `\\?` lists the commands.")
        return True

    def _list(self) -> None:
        described = {name: spec.spec.description for name, spec in self._run.project.tables.items()}
        there = [name for name, path in self._paths.items() if loaded(path)]
        out.print(table(("table", "description"), [(name, described.get(name) or None) for name in there]))
        left = [name for name in described if name not in there]
        if left:
            out.print(styled((f"Not loaded yet: {', '.join(left)}.", "dim")))

    def _describe(self, name: str) -> None:
        types = self.columns(name) if name in self._paths else {}
        if not types:
            raise unreadable(name, self._paths)
        declared = self._run.project.tables.get(name)
        described = {
            column.lower(): spec.description
            for column, spec in (declared.spec.columns if declared else {}).items()
        }
        rows = [(column, kind, described.get(column.lower()) or None) for column, kind in types.items()]
        out.print(table(("column", "type", "description"), rows))

    def _show(self, answer: QueryResult) -> None:
        """Prints an answer, page by page if it is longer than the terminal."""
        is_long = out.is_terminal and len(answer.rows) + 2 > out.height
        with out.pager(styles=True) if is_long else nullcontext():
            print_answer(answer, self._limit)
        if not answer.more:
            out.print(styled((f"{plural(len(answer.rows), 'row')}.", "dim")))


def open_shell(run: Run, session: SqlSession, root: Path, limit: int) -> None:
    """Reads and executes until `\\q` or the end of input."""
    shell = Shell(run, session, limit)
    # less: colours, and no paging of what fits on the screen.
    os.environ.setdefault("LESS", "-RFX")
    out.print(
        styled(
            (f"{run.project.spec.name}, profile {run.profile}: {session.engine}. ", "bold"),
            "Statements end with a semicolon. `\\?` prints the commands, Ctrl-D leaves.",
        )
    )
    prompt = prompt_session(shell, root / HISTORY)
    while True:
        try:
            text = prompt.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if text.strip() and not shell.execute(text):
            return


def prompt_session(shell: Shell, history: Path, **terminal: Any) -> PromptSession[str]:
    """The prompt. Enter ends the input once a statement is complete; Tab completes.

    terminal: input and output, by default those of this process.
    """
    history.parent.mkdir(parents=True, exist_ok=True)
    # Queries may contain personal data.
    history.touch(mode=0o600)
    return PromptSession(
        _PROMPT,
        multiline=Condition(lambda: _is_open(get_app().current_buffer.text)),
        prompt_continuation=_CONTINUED,
        completer=SqlCompleter(shell.tables, shell.columns),
        complete_while_typing=False,
        history=FileHistory(str(history)),
        **terminal,
    )


def _is_open(text: str) -> bool:
    """Whether Enter begins a new line: a statement has begun, and has no semicolon yet."""
    return not text.lstrip().startswith("\\") and split(text).is_open
