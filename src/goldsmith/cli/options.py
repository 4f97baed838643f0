"""The options that all commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup

_TAKES_VALUE = {"--project": True, "-p": True, "--profile": True, "--verbose": False}
"""The shared options by name, and whether each takes a value."""


class OptionsAnywhere(TyperGroup):
    """Takes shared options after a command as well as before it: `goldsmith run --profile cluster`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, in_front(args))


def in_front(arguments: Sequence[str]) -> list[str]:
    """The arguments with the shared options first. What follows `--`, or `submit`, stays: it may be a job's own."""
    first: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        name, _, value = argument.partition("=")
        if argument == "--" or (argument == "submit" and not rest):
            rest += [argument, *waiting]
        elif name not in _TAKES_VALUE:
            rest.append(argument)
        else:
            first.append(argument)
            if _TAKES_VALUE[name] and not value:
                first += [value for value in (next(waiting, None),) if value is not None]
    return [*first, *rest]
