"""Groups of commands: a noun with its verbs, and the overview that `goldsmith --help` prints."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from enum import StrEnum
from typing import Any

import typer
from typer.core import TyperGroup

from goldsmith.cli.options import shared_first


class Panel(StrEnum):
    """What a person wants to do, in the order of `goldsmith --help`. Commands in LOOK write nothing."""

    DECLARE = "Declare tables"
    LOAD = "Load tables"
    LOOK = "Look at tables"
    MAINTAIN = "Repair and maintain"
    PUBLISH = "Publish"
    SET_UP = "Set up"


def noun(app: typer.Typer, name: str, summary: str) -> typer.Typer:
    """Adds a noun, and returns the group that its verbs are added to."""

    def options() -> None:
        pass

    group = typer.Typer(help=summary, no_args_is_help=True)
    # Without a callback, Typer replaces a group that has a single command by the command.
    group.callback(help=summary)(options)
    app.add_typer(group, name=name)
    return group


def commands_of(group: TyperGroup, above: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The commands of a group and of the groups in it, with their full names: `table show`."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands_of(command, (*above, name))
        else:
            yield " ".join((*above, name)), command


def by_panel(group: TyperGroup) -> Iterator[tuple[str, Any]]:
    """The commands with their full names, in the order of their panels."""
    order = list(Panel)
    return iter(sorted(commands_of(group), key=lambda item: order.index(item[1].rich_help_panel)))


class Commands(TyperGroup):
    """The command's root: its help lists every command, and shared options may follow the command's name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, shared_first(args))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        verb = args[0] if args else ""
        nouns = [name for name, _ in commands_of(self) if name.endswith(f" {verb}")]
        if verb not in self.commands and nouns:
            ctx.fail(f"No such command '{verb}'. Did you mean {' or '.join(map(repr, nouns))}?")
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        overview = copy(self)
        overview.commands = {}
        for name, command in by_panel(self):
            overview.commands[name] = copy(command)
            overview.commands[name].name = name
        super(Commands, overview).format_help(ctx, formatter)
