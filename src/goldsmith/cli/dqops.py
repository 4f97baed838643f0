"""Commands about DQOps' checks: dqops gate, dqops import, dqops collect."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, get_args

import typer

from goldsmith.cli.console import out, plural, tell_error, tell_json
from goldsmith.cli.opening import open_project, open_spark, profile_name
from goldsmith.errors import DeclarationError, Exit, GateStopped, GoldsmithError, RunError
from goldsmith.project.hints import hint_for

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]

group = typer.Typer(help="Checks of tables at rest, by a DQOps server.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(group, name="dqops", rich_help_panel="Look")


@group.command("gate")
def gate(
    names: Annotated[list[str], typer.Argument(help="Pipelines, layers or tables.")],
    at: Annotated[
        str | None,
        typer.Option(
            "--at", help="The severity that stops: warning, error or fatal. Else each table's `gate`."
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Minutes that a table's checks may take.")
    ] = 30,
    as_json: Json = False,
) -> None:
    """Run the checks of tables now and end with code 3 where one is too grave.

    What a pipeline or a layer names are its tables with a gate; a table named by itself is checked in any case, at
    `error` where it declares no gate. Today's results of the tables are forgotten first.
    """
    project = open_project()
    from goldsmith.project.models import Severity

    chosen = [name for name in project.select(tuple(names)) if project.gate(name) or _is_named(name, names)]
    if not chosen:
        raise DeclarationError(
            "GS504",
            "None of these tables has a gate.",
            hint="Declare `gate: error`, or name a table by itself.",
        )
    if at is not None and at not in get_args(Severity):
        raise DeclarationError("GS103", f"`--at {at}` is no severity.", hint=hint_for(at, get_args(Severity)))
    from goldsmith.publish.dqops.client import Client
    from goldsmith.publish.dqops.declared import declared_checks
    from goldsmith.publish.dqops.gate import run_gate
    from goldsmith.publish.dqops.verdict import Verdict

    client = Client.from_environment()
    declared = {name: declared_checks(project.root, name) for name in chosen}
    verdicts: list[Verdict] = []
    stopped: list[GoldsmithError] = []
    for name in chosen:
        limit: Severity = at or project.gate(name) or "error"  # type: ignore[assignment]
        try:
            with _ended_by_kill():
                verdict = run_gate(client, name, declared=declared[name], limit=limit, timeout=timeout * 60)
        except RunError as error:
            # The other tables can be judged all the same.
            stopped.append(error)
            continue
        verdicts.append(verdict)
        if not as_json:
            for line in verdict.lines:
                out.print(line, soft_wrap=True)
    if as_json:
        tell_json(verdicts)
    for verdict in verdicts:
        try:
            verdict.require()
        except GateStopped as error:
            stopped.append(error)
    for told in stopped:
        tell_error(told)
    if stopped:
        failed = any(told.exit_code == Exit.FAILED for told in stopped)
        raise typer.Exit(Exit.FAILED if failed else Exit.GATE)


@contextmanager
def _ended_by_kill() -> Iterator[None]:
    """Ends the process on SIGTERM by an exception, so that its job at the server is cancelled."""
    former = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _is_named(table: str, names: list[str]) -> bool:
    return table in names or table.split(".", 1)[1] in names


@group.command("import")
def import_(
    names: Annotated[list[str], typer.Argument(help="Pipelines, layers or tables.")],
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Minutes that a table's import may take.")
    ] = 30,
) -> None:
    """Have DQOps read the verdicts of the loads of tables, so that its console shows them at once.

    Only these results of today are forgotten first. A gate does it as well.
    """
    project = open_project()
    from goldsmith.publish.dqops.client import Client
    from goldsmith.publish.dqops.declared import checks_at_home
    from goldsmith.publish.dqops.gate import import_verdicts
    from goldsmith.publish.dqops.names import IMPORT_CHECK

    client = Client.from_environment()
    wanted = [
        name for name in project.select(tuple(names)) if IMPORT_CHECK in checks_at_home(project.root, name)
    ]
    failed = False
    for name in wanted:
        try:
            with _ended_by_kill():
                severity = import_verdicts(client, name, timeout=timeout * 60)
        except RunError as error:
            # The other tables can be read all the same.
            tell_error(error)
            failed = True
        else:
            out.print(f"{name}: the gravest of what its loads found is {severity}.")
    if not wanted:
        out.print("None of these tables has expectations or a freshness to import.")
    if failed:
        raise typer.Exit(Exit.FAILED)


@group.command("collect")
def collect(as_json: Json = False) -> None:
    """Bring what DQOps' checks found into `ops.dqops_results`; the same results again change nothing.

    Run it after gates and after the server's own schedules: what a gate forgets is gone from the server.
    """
    project = open_project()
    from goldsmith.publish.dqops.collecting import TABLE
    from goldsmith.publish.dqops.collecting import collect as collect_results
    from goldsmith.run.context import Run

    with open_spark(project, quiet=as_json) as spark:
        found = collect_results(spark, Run.begin(project, profile_name()))
    if as_json:
        tell_json(found)
        return
    told = f"{plural(found.new, 'new result')}, {found.changed:,} judged again"
    out.print(f"{told}, from {plural(found.files, 'file')}, in {TABLE}.")
