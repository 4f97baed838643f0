"""The shell of `goldsmith sql`, typed into a terminal, and statements from standard input."""

from __future__ import annotations

import io
import os
import signal
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from pyspark.sql import SparkSession

from goldsmith.cli.spark_sql import SparkSql
from goldsmith.cli.sql_completion import SqlCompleter
from goldsmith.cli.sql_shell import HISTORY, Shell, prompt_session
from goldsmith.run.readable import QueryResult
from support.command import Command, command
from support.containers import until
from support.lake import Lake

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def orders(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(spark, tmp_path_factory.mktemp("shell"))
    lake.declare(
        "bronze.orders",
        """
        description: Orders as delivered.
        source: {files: "orders/*.csv", format: csv}
        columns: {id: {type: int, description: The number.}, note: string}
        """,
    )
    lake.declare("silver.later", "load: append", "SELECT id FROM bronze.orders")
    lake.deliver("orders/a.csv", "id,note\n1,a;b\n2,c\n")
    lake.done("bronze.orders")
    return lake


class Counting:
    """A session that counts its queries. raises: an error instead of an answer."""

    engine = "Spark in this process"

    def __init__(self, spark_sql: SparkSql) -> None:
        self.inner, self.asked = spark_sql, 0
        self.raises: BaseException | None = None

    def answer(self, query: str, limit: int) -> QueryResult:
        self.asked += 1
        if self.raises is not None:
            raise self.raises
        return self.inner.answer(query, limit)

    def close(self) -> None:
        """The tests' session goes on."""


@pytest.fixture
def session(orders: Lake, monkeypatch: pytest.MonkeyPatch) -> Counting:
    return Counting(_session(orders, monkeypatch))


def _session(orders: Lake, monkeypatch: pytest.MonkeyPatch) -> SparkSql:
    found = SparkSql(orders.project(), orders.begin(), quiet=True)
    monkeypatch.setattr(found, "_spark", orders.spark)
    return found


@pytest.fixture
def shell(orders: Lake, session: Counting) -> Shell:
    return Shell(orders.begin(), session, limit=10)


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe:
        yield pipe


def test_statements_are_answered_one_after_the_other(
    shell: Shell, session: Counting, capsys: Captured
) -> None:
    assert shell.execute(
        "SELECT note FROM bronze.orders WHERE note = 'a;b'; SELECT count(*) AS n FROM bronze.orders;"
    )
    assert capsys.readouterr().out.split() == ["note", "a;b", "1", "row.", "n", "2", "1", "row."]
    assert session.asked == 2
    assert shell.execute("SELECT 1; SELECT nothing FROM bronze.orders; SELECT 3;")
    shown = capsys.readouterr()
    assert "GS203" in shown.err
    assert "3" not in shown.out
    assert session.asked == 4
    assert shell.execute("DROP TABLE bronze.orders;")
    assert "GS201" in capsys.readouterr().err
    assert shell.columns("bronze.orders")


def test_cancelled_query_returns_to_the_prompt(shell: Shell, session: Counting, capsys: Captured) -> None:
    session.raises = KeyboardInterrupt()
    assert shell.execute("SELECT 1;")
    assert "cancelled" in capsys.readouterr().err
    session.raises = None
    assert shell.execute("SELECT 7 AS seven;")
    assert "7" in capsys.readouterr().out


def test_ctrl_c_cancels_the_query_and_not_the_session(
    orders: Lake, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    shell = Shell(orders.begin(), _session(orders, monkeypatch), limit=10)
    jobs = orders.spark.sparkContext.statusTracker()

    def interrupt() -> None:
        until(lambda: bool(jobs.getActiveJobsIds()), 60)
        os.kill(os.getpid(), signal.SIGINT)

    with ThreadPoolExecutor(1) as other:
        other.submit(interrupt)
        assert shell.execute("SELECT count(*) FROM range(10000000000000) WHERE id % 7 = 9;")
    assert "The query was cancelled." in capsys.readouterr().err
    assert not jobs.getActiveJobsIds()
    assert shell.execute("SELECT 8 AS eight;")
    assert "8" in capsys.readouterr().out


def test_commands_list_and_describe_tables_without_a_query(
    shell: Shell, session: Counting, capsys: Captured
) -> None:
    assert shell.execute("\\d")
    listed = capsys.readouterr().out
    assert "bronze.orders" in listed
    assert "Orders as delivered." in listed
    assert "ops.table_runs" in listed
    assert "Not loaded yet: silver.later." in listed
    assert shell.execute("\\d bronze.orders;")
    described = capsys.readouterr().out.split("\n")
    assert described[1].split() == ["id", "int", "The", "number."]
    assert shell.execute("\\d silver.later")
    assert "has not been loaded" in capsys.readouterr().err
    assert shell.execute("\\d bronze.oders")
    assert "`bronze.orders`?" in capsys.readouterr().err
    assert shell.execute("\\x")
    assert "There is no command `\\x`" in capsys.readouterr().err
    assert shell.execute("\\?")
    assert "list the tables" in capsys.readouterr().out
    assert not shell.execute("\\q")
    assert session.asked == 0


def test_names_are_completed(shell: Shell) -> None:
    completer = SqlCompleter(shell.tables, shell.columns)

    def offered(text: str) -> list[str]:
        found = completer.get_completions(Document(text), CompleteEvent())
        return [completion.text for completion in found]

    assert offered("SELECT * FROM bronze.") == ["bronze.orders"]
    before = Document("SELECT no FROM bronze.orders", len("SELECT no"))
    found = [item.text for item in completer.get_completions(before, CompleteEvent())]
    assert found[0] == "note"
    assert "NOT" in found
    assert "count_if" in offered("SELECT count_")
    assert offered("\\") == ["\\d", "\\q", "\\?"]
    assert offered("\\d ops.") == [name for name in shell.tables if name.startswith("ops.")]
    assert offered("SELECT id FROM silver.later WHERE not_loaded_") == []


def test_enter_ends_a_complete_statement_and_history_is_kept(
    shell: Shell, keys: PipeInput, tmp_path: Path
) -> None:
    history = tmp_path / HISTORY
    prompt = prompt_session(shell, history, input=keys, output=DummyOutput())
    keys.send_text("SELECT ';' AS a\r, 2;\r")
    assert prompt.prompt() == "SELECT ';' AS a\n, 2;"
    keys.send_text("\\d\r")
    assert prompt.prompt() == "\\d"
    keys.send_text("\x1b[A\x1b[A\r")
    assert prompt.prompt() == "SELECT ';' AS a\n, 2;"
    keys.send_text("\x04")
    with pytest.raises(EOFError):
        prompt.prompt()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    again = prompt_session(shell, history, input=keys, output=DummyOutput())
    keys.send_text("\x1b[A\r")
    assert again.prompt() == "SELECT ';' AS a\n, 2;"


@pytest.fixture
def goldsmith(orders: Lake, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Command:
    def spark_sql(*_: Any, **__: Any) -> SparkSql:
        return _session(orders, monkeypatch)

    monkeypatch.setattr("goldsmith.cli.spark_sql.SparkSql", spark_sql)
    return command(monkeypatch, capsys)


def test_statements_of_standard_input_are_answered(
    goldsmith: Command, orders: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 1 AS one;\n-- the last one\nSELECT 'x;y' AS two"))
    ended = goldsmith("sql", folder=orders.root)
    assert (ended.code, ended.out.split()) == (0, ["one", "1", "two", "x;y"])
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 1; DELETE FROM bronze.orders; SELECT 3 AS three;"))
    ended = goldsmith("sql", folder=orders.root)
    assert ended.code == 2
    assert "GS201" in ended.err
    assert "three" not in ended.out


def test_verbose_names_what_answered(goldsmith: Command, orders: Lake) -> None:
    ended = goldsmith("--verbose", "sql", "SELECT 1", folder=orders.root)
    assert "Answered by Spark in this process in " in ended.err
