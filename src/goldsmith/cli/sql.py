"""The command `sql`, and how the rows of a query are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from goldsmith.cli.console import out, plural, print_json, rows_within, styled
from goldsmith.cli.groups import Panel
from goldsmith.cli.opening import open_project, open_spark, profile_name
from goldsmith.cli.options import Json, Limit

if TYPE_CHECKING:
    from goldsmith.project.pipelines import Project
    from goldsmith.run.readable import QueryResult


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel=Panel.LOOK)(sql)


def sql(
    query: Annotated[str, typer.Argument(help="Spark SQL with full table names.")],
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Query the tables with Spark SQL, read-only.

    Example: `goldsmith sql "SELECT count(*) FROM silver.departures"`

    Accepts one query, or DESCRIBE, EXPLAIN, SHOW COLUMNS or SHOW TBLPROPERTIES. Other statements are refused and not
    executed.
    """
    answer = answer_to(open_project(), query, limit, quiet=as_json)
    if as_json:
        print_json(answer.as_dicts())
        return
    print_answer(answer, limit)


def answer_to(project: Project, query: str, limit: int, *, quiet: bool) -> QueryResult:
    """The first rows of a query."""
    from goldsmith.run.context import Run
    from goldsmith.run.sql_query import run_query

    with open_spark(project, quiet=quiet) as spark:
        return run_query(spark, Run.begin(project, profile_name()), query, limit=limit)


def print_answer(answer: QueryResult, limit: int) -> None:
    """Prints the rows of a query, and whether there are more."""
    for part in rows_within(out.width, answer.columns, answer.rows):
        out.print(part)
    if answer.more:
        out.print(styled((f"The first {plural(limit, 'row')}. Use --limit for more.", "dim")))
