"""Commands that write what other programs read: `generate superset`."""

from __future__ import annotations

import typer

from goldsmith.cli import superset


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    group = typer.Typer(help="Write what other programs read, from the declarations.", no_args_is_help=True)
    group.command("superset")(superset.generate)
    app.add_typer(group, name="generate", rich_help_panel="Declare")
