"""The command `init`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import out, styled
from goldsmith.cli.groups import Panel


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel=Panel.DECLARE)(init)


def init(
    folder: Annotated[str, typer.Argument(help="The project's folder, new or existing.")] = ".",
    pipeline: Annotated[str, typer.Option("--pipeline", help="The name of the new pipeline.")] = "orders",
) -> None:
    """Create a project, or add a pipeline to one, with sample tables and files.

    Example: `goldsmith init shop --pipeline orders`

    The pipeline has a bronze table that reads CSV files, a silver and a gold table, and two files to load. It runs
    as it is; edit its files to make it yours.
    """
    from goldsmith.cli.starter import make_pipeline

    root = Path(folder)
    for path in make_pipeline(root, pipeline):
        out.print(styled("  ", ("+", "green"), f" {path}"), soft_wrap=True)
    where = "" if root.resolve() == Path.cwd().resolve() else f"cd {shlex.quote(folder)} && "
    show = f"goldsmith table show gold.{pipeline}_by_day"
    out.print(
        styled("\nNext: ", (f"{where}goldsmith run", "bold"), ", then ", (show, "bold"), "."), soft_wrap=True
    )
