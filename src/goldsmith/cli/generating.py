"""Commands that write what other programs read: `generate airflow`, `generate dqops`, `generate superset`."""

from __future__ import annotations

from typing import Annotated

import typer

from goldsmith.cli import superset
from goldsmith.cli.console import out, plural, tell_error, tell_warning
from goldsmith.cli.declaring import write_texts
from goldsmith.cli.opening import open_project
from goldsmith.errors import DeclarationErrors, Exit, GoldsmithError, NotReady, Where


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    group = typer.Typer(help="Write what other programs read, from the declarations.", no_args_is_help=True)
    group.command("airflow")(airflow)
    group.command("dqops")(dqops)
    group.command("superset")(superset.generate)
    app.add_typer(group, name="generate", rich_help_panel="Declare")


def airflow(
    check_only: Annotated[
        bool, typer.Option("--check", help="Only say whether the file is current.")
    ] = False,
) -> None:
    """Write Airflow's pools, `airflow/pools.json`."""
    from goldsmith.publish.airflow.pools import pools_file

    project = open_project()
    texts = {project.root / "airflow" / "pools.json": pools_file(project)}
    write_texts(texts, check_only=check_only, told="The pools are current.")


def dqops(
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; print what differs, and end with code 2 for it.")
    ] = False,
) -> None:
    """Write DQOps' user home: connection, columns and checks of every table.

    Only files that change are written, each by rename: a server may be running on them. What you add by hand in
    the allowed places stays: see docs/dqops.md. Where the package dqops is installed, every file is held against
    its models, as the server takes an unknown key in silence.
    """
    from goldsmith.publish.dqops import home, validation
    from goldsmith.publish.dqops.names import FOLDER

    project = open_project()
    found = home.changes(project)
    if not check_only:
        home.write(project, found)
        for change in found:
            out.print(f"  {change.kind}: {FOLDER}/{change.path}", soft_wrap=True)
        if not found:
            out.print("The user home is current.")
    try:
        mistakes = validation.find_errors(project.root / FOLDER)
    except NotReady as error:
        tell_warning(f"{error.message} {error.hint}")
        mistakes = []
    if check_only and found:
        for change in found:
            out.print(change.diff, soft_wrap=True)
        tell_error(_drift(len(found), str(project.root / FOLDER)))
    if mistakes:
        raise DeclarationErrors(mistakes)
    if check_only and found:
        raise typer.Exit(Exit.WRONG_CALL)
    if check_only:
        out.print("The user home is as the declarations say.")


def _drift(count: int, place: str) -> GoldsmithError:
    return GoldsmithError(
        "GS712",
        f"{plural(count, 'file')} of DQOps' user home {'is' if count == 1 else 'are'} not as the declarations say.",
        where=Where(file=place),
        hint="`goldsmith generate dqops` writes what the declarations say. Edits made in the console are lost by it.",
    )
