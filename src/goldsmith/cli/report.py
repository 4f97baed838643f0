"""The command `report`, and where the report is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import out
from goldsmith.cli.groups import Panel
from goldsmith.cli.opening import open_project, open_spark, profile_name

FILE, URL = "GOLDSMITH_REPORT_FILE", "GOLDSMITH_REPORT_URL"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel=Panel.PUBLISH)(report)


def report(
    path: Annotated[
        str | None,
        typer.Argument(
            help="The file to write. Default: GOLDSMITH_REPORT_FILE, or .goldsmith/report.html.",
            show_default=False,
        ),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write an HTML report of pipelines, runs, quarantined rows and gold tables.

    Example: `goldsmith report --open`

    The report is one file that works offline.
    """
    project = open_project()
    from goldsmith.publish.report.collect import write_report
    from goldsmith.run.context import Run

    target = Path(path) if path else report_file(project.root)
    with open_spark(project) as spark:
        written = write_report(spark, Run.begin(project, profile_name()), target)
    print_report_location(written, project.root)
    if open_it:
        import webbrowser

        webbrowser.open(written.resolve().as_uri())


def report_file(root: Path) -> Path:
    """The file that GOLDSMITH_REPORT_FILE names, else `.goldsmith/report.html` of the project."""
    named = os.environ.get(FILE)
    return Path(named) if named else root / ".goldsmith" / "report.html"


def print_report_location(written: Path, root: Path) -> None:
    """Prints the report's URL if the project's report is served at one, else its file."""
    address = os.environ.get(URL)
    is_served = bool(address) and bool(os.environ.get(FILE)) and written == report_file(root).resolve()
    out.print(f"Report: {address if is_served else written}", soft_wrap=True)
