"""The command `check`."""

from __future__ import annotations

import time

import typer

from goldsmith.cli.console import (
    error_as_dict,
    out,
    plural,
    print_error,
    print_json,
    print_warning,
    styled,
)
from goldsmith.cli.groups import Panel
from goldsmith.cli.opening import open_project, profile_name
from goldsmith.cli.options import Json
from goldsmith.errors import DeclarationErrors, Exit


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel=Panel.DECLARE)(check)


def check(as_json: Json = False) -> None:
    """Check all declarations and their SQL, without Spark; print every mistake.

    Example: `goldsmith check`

    Warns if a column of a bronze table on this machine's disk has another type than the declared one.
    """
    began = time.monotonic()
    from goldsmith.publish.superset.generate import check_raw

    try:
        project = open_project()
        check_raw(project)
    except DeclarationErrors as error:
        if as_json:
            print_json({"ok": False, "mistakes": [error_as_dict(problem) for problem in error.problems]})
        else:
            print_error(error)
        raise typer.Exit(Exit.WRONG_CALL) from None
    from goldsmith.project.checks.project import declaration_notes
    from goldsmith.run.changed_types import changed_types

    notes = [*declaration_notes(project), *changed_types(project, project.profile(profile_name()).warehouse)]
    if as_json:
        listed = [{"table": name, "note": note} for name, note in notes]
        print_json(
            {
                "ok": True,
                "tables": list(project.tables),
                "pipelines": list(project.pipelines),
                "notes": listed,
            }
        )
        return
    for name, note in notes:
        print_warning(f"{name}: {note}")
    seconds = time.monotonic() - began
    tables, pipelines = plural(len(project.tables), "table"), plural(len(project.pipelines), "pipeline")
    out.print(styled(("No mistakes:", "green"), f" {tables} in {pipelines}, checked in {seconds:.1f} s."))
