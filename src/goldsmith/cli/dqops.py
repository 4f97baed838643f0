"""Commands of the noun `dqops`: checks of stored tables, run by a DQOps server."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, get_args

import typer

from goldsmith.cli.console import out, plural, print_error, print_json, print_warning
from goldsmith.cli.groups import Panel, noun
from goldsmith.cli.opening import open_project, open_spark, profile_name
from goldsmith.cli.options import Compare, Json
from goldsmith.errors import (
    DeclarationError,
    DeclarationErrors,
    Exit,
    GateStopped,
    GoldsmithError,
    NotReady,
    RunError,
    Where,
)
from goldsmith.project.hints import hint_for

Names = Annotated[list[str], typer.Argument(help="Pipelines, layers or tables.")]


def register(app: typer.Typer) -> None:
    """Adds the noun and its verbs."""
    group = noun(app, "dqops", "DQOps: checks of stored tables.")
    for command in (generate, push, gate, pull):
        group.command(rich_help_panel=Panel.PUBLISH)(command)


def generate(check_only: Compare = False) -> None:
    """Write DQOps' user home: the connection, and the columns and checks of every table.

    Example: `goldsmith dqops generate --check`

    Only changed files are written, each by a rename, so a server may be running on them. Manual edits in the allowed
    sections are kept: see docs/dqops.md. If the package dqops is installed, every file is validated against its
    models, because the server ignores unknown keys silently.
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
            out.print("The user home is up to date.")
    try:
        mistakes = validation.find_errors(project.root / FOLDER)
    except NotReady as error:
        print_warning(f"{error.message} {error.hint}")
        mistakes = []
    if check_only and found:
        for change in found:
            out.print(change.diff, soft_wrap=True)
        print_error(_differs(len(found), str(project.root / FOLDER)))
    if mistakes:
        raise DeclarationErrors(mistakes)
    if check_only and found:
        raise typer.Exit(Exit.WRONG_CALL)
    if check_only:
        out.print("The user home matches the declarations.")


def _differs(count: int, folder: str) -> GoldsmithError:
    return GoldsmithError(
        "GS712",
        f"{plural(count, 'file')} of DQOps' user home {'differs' if count == 1 else 'differ'} from the declarations.",
        where=Where(file=folder),
        hint="Write it: `goldsmith dqops generate`. This discards edits made in DQOps' console.",
    )


def push(
    names: Names,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Time limit for a table, in minutes.")
    ] = 30,
) -> None:
    """Import the verdicts of tables' loads into DQOps, whose console then shows them.

    Example: `goldsmith dqops push flights`

    Replaces today's results of these checks only. `goldsmith dqops gate` does the same for its tables.
    """
    project = open_project()
    from goldsmith.publish.dqops.client import DqopsClient
    from goldsmith.publish.dqops.declared import checks_in_home
    from goldsmith.publish.dqops.gate import import_verdicts
    from goldsmith.publish.dqops.names import IMPORT_CHECK

    client = DqopsClient.from_environment()
    wanted = [
        name for name in project.select(tuple(names)) if IMPORT_CHECK in checks_in_home(project.root, name)
    ]
    failed = False
    for name in wanted:
        try:
            with _exit_on_sigterm():
                severity = import_verdicts(client, name, timeout=timeout * 60)
        except RunError as error:
            # The other tables can be imported all the same.
            print_error(error)
            failed = True
        else:
            out.print(f"{name}: the highest severity among its loads' verdicts is {severity}.")
    if not wanted:
        out.print("None of these tables has expectations or a freshness to import.")
    if failed:
        raise typer.Exit(Exit.FAILED)


def gate(
    names: Names,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            help="The severity that stops: warning, error or fatal. Default: each table's `gate`.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Time limit for a table's checks, in minutes.")
    ] = 30,
    as_json: Json = False,
) -> None:
    """Run the checks of tables now; exit with 3 if a result reaches the severity that stops.

    Example: `goldsmith dqops gate gold --at fatal`

    A pipeline or a layer selects its tables that declare a gate. A table named by itself is always checked, at
    `error` if it declares no gate. Today's results of the tables are replaced.
    """
    project = open_project()
    from goldsmith.project.models import Severity

    chosen = [name for name in project.select(tuple(names)) if project.gate(name) or _is_named(name, names)]
    if not chosen:
        raise DeclarationError(
            "GS504",
            "None of these tables declares a gate.",
            hint="Declare `gate: error`, or name a table by itself.",
        )
    if at is not None and at not in get_args(Severity):
        raise DeclarationError(
            "GS103", f"`--at {at}` is not a severity.", hint=hint_for(at, get_args(Severity))
        )
    from goldsmith.publish.dqops.client import DqopsClient
    from goldsmith.publish.dqops.declared import declared_checks
    from goldsmith.publish.dqops.gate import run_gate
    from goldsmith.publish.dqops.verdict import GateVerdict

    client = DqopsClient.from_environment()
    declared = {name: declared_checks(project.root, name) for name in chosen}
    verdicts: list[GateVerdict] = []
    stopped: list[GoldsmithError] = []
    for name in chosen:
        limit: Severity = at or project.gate(name) or "error"  # type: ignore[assignment]
        try:
            with _exit_on_sigterm():
                verdict = run_gate(client, name, declared=declared[name], limit=limit, timeout=timeout * 60)
        except RunError as error:
            # The other tables can be checked all the same.
            stopped.append(error)
            continue
        verdicts.append(verdict)
        if not as_json:
            for line in verdict.lines:
                out.print(line, soft_wrap=True)
    if as_json:
        print_json(verdicts)
    for verdict in verdicts:
        try:
            verdict.require()
        except GateStopped as error:
            stopped.append(error)
    for each in stopped:
        print_error(each)
    if stopped:
        failed = any(each.exit_code == Exit.FAILED for each in stopped)
        raise typer.Exit(Exit.FAILED if failed else Exit.GATE)


def pull(as_json: Json = False) -> None:
    """Load the results of DQOps' checks into `ops.dqops_results`.

    Example: `goldsmith dqops pull`

    Results that are loaded already change nothing. Pull after gates and after the server's own schedules: a gate
    deletes the day's earlier results on the server.
    """
    project = open_project()
    from goldsmith.publish.dqops.collecting import TABLE, collect
    from goldsmith.run.context import Run

    with open_spark(project, quiet=as_json) as spark:
        found = collect(spark, Run.begin(project, profile_name()))
    if as_json:
        print_json(found)
        return
    counts = f"{plural(found.new, 'new result')}, {found.changed:,} changed"
    out.print(f"{counts}, from {plural(found.files, 'file')}, in {TABLE}.")


@contextmanager
def _exit_on_sigterm() -> Iterator[None]:
    """Turns SIGTERM into an exception, so that the server's job is cancelled."""
    former = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _is_named(table: str, names: list[str]) -> bool:
    return table in names or table.split(".", 1)[1] in names
