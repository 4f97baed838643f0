"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

Names = Annotated[
    list[str] | None, typer.Argument(help="Pipelines, layers or tables. Default: all.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="The number of rows.")]
From = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the data interval.")
]
To = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The day after the interval's last day.")
]
Rebuild = Annotated[
    list[str] | None,
    typer.Option("--rebuild", help="A table to recompute from all of its sources, in one commit."),
]
Parallel = Annotated[
    int | None, typer.Option("--parallel", min=1, help="The number of tables to work on at the same time.")
]
Compare = Annotated[
    bool,
    typer.Option("--check", help="Write nothing; print what differs, and exit with 2 if anything does."),
]

_TAKES_VALUE = {"--project": True, "-p": True, "--profile": True, "--verbose": False}
"""The options of `goldsmith` itself, and whether each takes a value."""


def shared_first(arguments: Sequence[str]) -> list[str]:
    """The arguments with the options of `goldsmith` itself first: `run --profile cluster` is accepted too.

    Arguments behind `--` or `job submit` stay where they are: they may belong to the job.
    """
    first: list[str] = []
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        name, _, value = argument.partition("=")
        if argument == "--" or (argument == "submit" and rest == ["job"]):
            rest += [argument, *remaining]
        elif name not in _TAKES_VALUE:
            rest.append(argument)
        else:
            first.append(argument)
            if _TAKES_VALUE[name] and not value:
                first += [value for value in (next(remaining, None),) if value is not None]
    return [*first, *rest]
