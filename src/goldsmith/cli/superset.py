"""Commands of the noun `superset`: assets from the declarations, and the server."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from goldsmith.cli.console import out, plural, print_error, styled
from goldsmith.cli.groups import Panel, noun
from goldsmith.cli.opening import open_project
from goldsmith.cli.options import Compare
from goldsmith.errors import Exit, GoldsmithError, Where


def register(app: typer.Typer) -> None:
    """Adds the noun and its verbs."""
    group = noun(app, "superset", "Superset: datasets, charts and dashboards.")
    for command in (generate, push, pull):
        group.command(rich_help_panel=Panel.PUBLISH)(command)


def generate(check_only: Compare = False) -> None:
    """Write Superset's assets: datasets of gold and ops tables, charts and dashboards.

    Example: `goldsmith superset generate --check`

    They are written to `superset/assets`; commit them. Files without a declaration are removed.
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
            out.print("Superset's assets are up to date.")
        return
    found = assets.differences(folder, wanted)
    if not found:
        out.print("Superset's assets match the declarations.")
        return
    for change in found:
        out.print(change.text, soft_wrap=True)
    count = f"{plural(len(found), 'file')} of Superset's assets {'differs' if len(found) == 1 else 'differ'}"
    print_error(
        GoldsmithError(
            "GS725",
            f"{count} from the declarations.",
            where=Where(file=folder),
            hint="Write them: `goldsmith superset generate`.",
        )
    )
    raise typer.Exit(Exit.WRONG_CALL)


def push() -> None:
    """Import the declared datasets, charts and dashboards into Superset; remove those no longer declared.

    Example: `goldsmith superset push`

    Also creates the role of analysts. `SUPERSET_URL`, `SUPERSET_ADMIN_USER` and `SUPERSET_ADMIN_PASSWORD` name the
    server and the log-in; `SPARK_THRIFT_HOST`, `_PORT`, `_USER` and `_PASSWORD` the Thrift Server as Superset reaches
    it, or `SUPERSET_DATABASE_URI` all of these; `SUPERSET_BROWSER_URL` Superset as browsers reach it.
    """
    from goldsmith.publish.superset.client import Server, SupersetClient
    from goldsmith.publish.superset.datasets import database_uri
    from goldsmith.publish.superset.generate import generate as declared
    from goldsmith.publish.superset.names import Names
    from goldsmith.publish.superset.push import push as pushed

    project = open_project()
    assets = declared(project)
    client = SupersetClient(Server.of())
    shown = os.environ.get("SUPERSET_BROWSER_URL") or client.server.url
    uri = database_uri(os.environ)
    done = pushed(client, assets, Names(project.spec.name), database_uri=uri)
    for kind, title in done.removed:
        out.print(f"  removed: {kind} {title}", soft_wrap=True)
    charts = sum(path.startswith("charts/") for path in assets)
    summary = f" {plural(len(done.dashboards), 'dashboard')}, {plural(charts, 'chart')}."
    out.print(styled(("In Superset:", "green"), summary))
    for title, path in done.dashboards.items():
        out.print(f"  {title}: {shown.rstrip('/')}{path}", soft_wrap=True)
    out.print(f"Users with the role {done.role} can read gold and ops only.")


def pull(
    dashboard: Annotated[str, typer.Argument(help="The last part of its URL, or its title.")],
    pipeline: Annotated[
        str | None, typer.Option("--pipeline", help="The pipeline to write it to. Default: the only one.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove its declaration in the short form, if any.")
    ] = False,
) -> None:
    """Write a dashboard that was created or edited in Superset to raw files, which are pushed from then on.

    Example: `goldsmith superset pull sales`
    """
    from goldsmith.publish.superset.client import Server, SupersetClient
    from goldsmith.publish.superset.pull import pull as pulled

    project = open_project()
    owner = pipeline or (next(iter(project.pipelines)) if len(project.pipelines) == 1 else "")
    for file in pulled(SupersetClient(Server.of()), project, dashboard, owner, replace=replace):
        done = "written" if file.exists() else "removed"
        out.print(f"  {done}: {os.path.relpath(file)}", soft_wrap=True)
    out.print("Next: `goldsmith superset generate`, and commit.")
