"""The command `plan`."""

from __future__ import annotations

import typer

from goldsmith.cli.console import out, plural, print_json, print_warning, table
from goldsmith.cli.groups import Panel
from goldsmith.cli.opening import open_project, profile_name, tables_to_rebuild, without_spark
from goldsmith.cli.options import Json, Names, Rebuild


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel=Panel.LOAD)(plan)


def plan(names: Names = None, rebuild: Rebuild = None, as_json: Json = False) -> None:
    """Print what a run would load, and why; change nothing.

    Example: `goldsmith plan silver`
    """
    project = open_project()
    chosen = project.select(tuple(names or ()))
    from goldsmith.run.context import Run
    from goldsmith.run.preview import preview

    run = Run.begin(project, profile_name(), rebuild=tables_to_rebuild(project, rebuild, chosen))
    steps = without_spark(project, lambda spark: preview(spark, run, chosen), quiet=as_json)
    if as_json:
        print_json(steps)
        return
    rows = [(step.table, step.action, step.reason, step.reads) for step in steps]
    out.print(table(("table", "would", "why", "a changed row reads"), rows))
    for step in steps:
        if step.warning:
            print_warning(f"{step.table}: {step.warning}")
    count = sum(1 for step in steps if step.action != "nothing")
    out.print(f"\n{plural(count, 'table')} of {len(steps)} would load." if count else "\nNothing to do.")
