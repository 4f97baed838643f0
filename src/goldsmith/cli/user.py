"""Commands of the noun `user`: who may log in to the Thrift Server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import out, styled
from goldsmith.cli.groups import Panel, noun
from goldsmith.errors import DeclarationError

Name = Annotated[str, typer.Argument(help="The user's name.")]
File = Annotated[Path, typer.Option("--file", help="The file that THRIFT_USERS_FILE names.")]


def register(app: typer.Typer) -> None:
    """Adds the noun and its verbs."""
    group = noun(app, "user", "Users of the Thrift Server.")
    group.command("set", rich_help_panel=Panel.SET_UP)(set_)
    group.command(rich_help_panel=Panel.SET_UP)(remove)


def set_(
    name: Name,
    file: File,
    reads: Annotated[
        str, typer.Option("--reads", help="The schemas that the user may read, as `gold,ops`. Default: all.")
    ] = "",
) -> None:
    """Add a user of the Thrift Server, or change the user's password and schemas.

    Example: `goldsmith user set ada --file secrets/thrift-users --reads gold,ops`

    Prompts for the password, or reads it from standard input if that is not a terminal. The change applies from the
    next log-in on, without a restart.
    """
    from goldsmith.engine.launch.users import set_password

    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    schemas = [schema for word in reads.split(",") if (schema := word.strip())]
    done = "Added" if set_password(file, name, password, schemas) else "Changed"
    out.print(styled((f"{done}:", "green"), f" {name}"), soft_wrap=True)


def remove(name: Name, file: File) -> None:
    """Remove a user of the Thrift Server.

    Example: `goldsmith user remove ada --file secrets/thrift-users`
    """
    from goldsmith.engine.launch.users import remove_user

    if not remove_user(file, name):
        raise DeclarationError(
            "GS504",
            f"There is no user `{name}` in {file}.",
            hint="Name the file that THRIFT_USERS_FILE names.",
        )
    out.print(styled(("Removed:", "green"), f" {name}"), soft_wrap=True)
