"""The command about who may log in to the Thrift Server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import out, styled
from goldsmith.errors import DeclarationError


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("serving-user", rich_help_panel="Set up")(serving_user)


def serving_user(
    name: Annotated[str, typer.Argument(help="The user's name.")],
    file: Annotated[Path, typer.Option("--file", help="The file that THRIFT_USERS_FILE names.")],
    reads: Annotated[
        str, typer.Option("--reads", help="The only schemas that the user reads, as `gold,ops`.")
    ] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Take the user out.")] = False,
) -> None:
    """Set the password of a user of the Thrift Server and what the user reads, or take the user out.

    Without --reads the user reads every schema. The password is asked for, or read from standard input where that is
    no terminal. It counts from the next log-in on; nothing needs a restart.
    """
    from goldsmith.engine.launch.users import remove_user, set_password

    if remove:
        if not remove_user(file, name):
            raise DeclarationError("GS504", f"There is no user `{name}` in {file}.")
        out.print(styled(("Taken out:", "green"), f" {name}"), soft_wrap=True)
        return
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    schemas = [schema for word in reads.split(",") if (schema := word.strip())]
    told = "Added" if set_password(file, name, password, schemas) else "Changed"
    out.print(styled((f"{told}:", "green"), f" {name}"), soft_wrap=True)
