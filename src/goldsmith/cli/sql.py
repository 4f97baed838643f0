"""The command `sql`: answers one query, those of standard input, or opens a shell."""

from __future__ import annotations

import os
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from goldsmith.cli.console import err, out, plural, print_json, rows_within, styled
from goldsmith.cli.groups import Panel
from goldsmith.cli.opening import open_project, profile_name, verbose
from goldsmith.cli.options import Json, Limit

if TYPE_CHECKING:
    from goldsmith.project.pipelines import Project
    from goldsmith.run.context import Run
    from goldsmith.run.readable import QueryResult
    from goldsmith.run.sql_session import SqlSession


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel=Panel.LOOK)(sql)


def sql(
    query: Annotated[
        str | None,
        typer.Argument(
            help="Spark SQL with full table names. Default: a shell, or the statements of standard input."
        ),
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Query the tables with Spark SQL, read-only.

    Example: `goldsmith sql "SELECT count(*) FROM silver.departures"`

    Accepts one query, or DESCRIBE, EXPLAIN, SHOW COLUMNS or SHOW TBLPROPERTIES. Other statements are refused and not
    executed. Without a query it opens a shell: `\\?` prints its commands.

    Spark in this process answers, or the Thrift Server at SPARK_THRIFT_HOST if the profile has `catalog: hive`.
    """
    project = open_project()
    from goldsmith.run.context import Run

    run = Run.begin(project, profile_name())
    with closing(sql_session(project, run, quiet=as_json)) as session:
        if query is not None:
            _print(answer_of(session, query, limit), limit, as_json=as_json)
        elif sys.stdin.isatty():
            from goldsmith.cli.sql_shell import open_shell

            open_shell(run, session, project.root, limit)
        else:
            from goldsmith.project.sql.statements import split

            for statement in split(sys.stdin.read()).all:
                _print(answer_of(session, statement, limit), limit, as_json=as_json)


def sql_session(project: Project, run: Run, *, quiet: bool) -> SqlSession:
    """What answers queries with the chosen profile: the Thrift Server if its address is set, else Spark."""
    from goldsmith.run.thrift_sql import ThriftSql, thrift_server

    server = thrift_server(run, os.environ)
    if server is not None:
        return ThriftSql(server)
    from goldsmith.cli.spark_sql import SparkSql

    return SparkSql(project, run, quiet=quiet)


def answer_of(session: SqlSession, query: str, limit: int) -> QueryResult:
    """The first rows of a query. With `--verbose` it prints what answered, and how long it took."""
    began = time.monotonic()
    answer = session.answer(query, limit)
    if verbose():
        err.print(styled((f"Answered by {session.engine} in {time.monotonic() - began:.1f} s.", "dim")))
    return answer


def _print(answer: QueryResult, limit: int, *, as_json: bool) -> None:
    if as_json:
        print_json(answer.as_dicts())
    else:
        print_answer(answer, limit)


def print_answer(answer: QueryResult, limit: int) -> None:
    """Prints the rows of a query, and whether there are more."""
    for part in rows_within(out.width, answer.columns, answer.rows):
        out.print(part)
    if answer.more:
        out.print(styled((f"The first {plural(limit, 'row')}. Use --limit for more.", "dim")))
