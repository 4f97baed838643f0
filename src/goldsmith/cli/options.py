"""The options that all commands share."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

_TAKES_VALUE = {"--project": True, "-p": True, "--profile": True, "--verbose": False}
"""The shared options by name, and whether each takes a value."""


class OptionsAnywhere(TyperGroup):
    """Takes shared options after a command as well as before it: `goldsmith run --profile cluster`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        first: list[str] = []
        rest: list[str] = []
        waiting = iter(args)
        for argument in waiting:
            name, _, value = argument.partition("=")
            if argument == "--":
                rest += [argument, *waiting]
            elif name not in _TAKES_VALUE:
                rest.append(argument)
            else:
                first.append(argument)
                if _TAKES_VALUE[name] and not value:
                    first += [value for value in (next(waiting, None),) if value is not None]
        return super().parse_args(ctx, [*first, *rest])
