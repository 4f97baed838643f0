"""Commands about Superset: `generate superset`, `push superset`, `pull superset`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from goldsmith.cli.console import out, plural, styled, tell_error
from goldsmith.cli.opening import open_project
from goldsmith.errors import Exit, GoldsmithError, Where


def register(app: typer.Typer) -> None:
    """Adds the groups `push` and `pull`."""
    for name, command, told in (
        ("push", push, "Bring what is declared into other programs."),
        ("pull", pull, "Bring what was made in other programs back into files."),
    ):
        group = typer.Typer(help=told, no_args_is_help=True)
        group.command("superset")(command)
        app.add_typer(group, name=name, rich_help_panel="Look")


def generate(
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; print what differs, and end with code 2 for it.")
    ] = False,
) -> None:
    """Write Superset's assets: a dataset for each gold and ops table, every chart and dashboard.

    They stand in superset/assets, and belong into git. Files that nothing declares are removed.
    """
    from goldsmith.publish.superset import assets
    from goldsmith.publish.superset.generate import FOLDER
    from goldsmith.publish.superset.generate import generate as declared

    project = open_project()
    folder, wanted = project.root / FOLDER, declared(project)
    if not check_only:
        changed = assets.write(folder, wanted)
        for change in changed:
            done = "removed" if change.kind == "left over" else "written"
            out.print(f"  {done}: {FOLDER}/{change.path}", soft_wrap=True)
        if not changed:
            out.print("Superset's assets are current.")
        return
    found = assets.differences(folder, wanted)
    if not found:
        out.print("Superset's assets are as the declarations say.")
        return
    for change in found:
        out.print(change.text, soft_wrap=True)
    count = f"{plural(len(found), 'file')} of Superset's assets {'is' if len(found) == 1 else 'are'}"
    tell_error(
        GoldsmithError(
            "GS725",
            f"{count} not as the declarations say.",
            where=Where(file=folder),
            hint="`goldsmith generate superset` writes what the declarations say.",
        )
    )
    raise typer.Exit(Exit.WRONG_CALL)


def push() -> None:
    """Bring every dataset, chart and dashboard into Superset, and remove those of ours that left the declarations.

    SUPERSET_URL, SUPERSET_ADMIN_USER and SUPERSET_ADMIN_PASSWORD name the server and who logs in;
    SPARK_THRIFT_HOST, _PORT, _USER and _PASSWORD the Thrift Server as Superset reaches it, or SUPERSET_DATABASE_URI
    all of it; SUPERSET_BROWSER_URL Superset as people's browsers reach it. Makes the role of analysts as well.
    """
    from goldsmith.publish.superset.client import Server, SupersetClient
    from goldsmith.publish.superset.datasets import database_uri
    from goldsmith.publish.superset.generate import generate as declared
    from goldsmith.publish.superset.names import Names
    from goldsmith.publish.superset.push import push as brought

    project = open_project()
    assets = declared(project)
    client = SupersetClient(Server.of())
    shown = os.environ.get("SUPERSET_BROWSER_URL") or client.server.url
    uri = database_uri(os.environ)
    done = brought(client, assets, Names(project.spec.name), database_uri=uri)
    for kind, title in done.removed:
        out.print(f"  removed: {kind} {title}", soft_wrap=True)
    charts = sum(path.startswith("charts/") for path in assets)
    told = f" {plural(len(done.dashboards), 'dashboard')}, {plural(charts, 'chart')}."
    out.print(styled(("In Superset:", "green"), told))
    for title, path in done.dashboards.items():
        out.print(f"  {title}: {shown.rstrip('/')}{path}", soft_wrap=True)
    out.print(f"Users with the role {done.role} read gold and ops, and nothing else.")


def pull(
    dashboard: Annotated[str, typer.Argument(help="The last part of its address, or its title.")],
    pipeline: Annotated[
        str | None, typer.Option("--pipeline", help="Whose it becomes; the only one else.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Remove its short form, if it has one.")] = False,
) -> None:
    """Write a dashboard that was made or edited in Superset as raw files, to be pushed from now on."""
    from goldsmith.publish.superset.client import Server, SupersetClient
    from goldsmith.publish.superset.pull import pull as brought

    project = open_project()
    owner = pipeline or (next(iter(project.pipelines)) if len(project.pipelines) == 1 else "")
    for file in brought(SupersetClient(Server.of()), project, dashboard, owner, replace=replace):
        done = "written" if file.exists() else "removed"
        out.print(f"  {done}: {os.path.relpath(file)}", soft_wrap=True)
    out.print("Now: `goldsmith generate superset`, and commit.")
