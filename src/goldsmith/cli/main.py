"""The command `goldsmith`: its groups of commands, and how every error is told."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from goldsmith.cli import (
    catalog,
    declaring,
    delivering,
    dqops,
    generating,
    looking,
    maintaining,
    quarantine,
    running,
    serving,
    submitting,
    superset,
)
from goldsmith.cli.console import tell_error, tell_stack
from goldsmith.cli.opening import check_profile_name
from goldsmith.cli.options import OptionsAnywhere
from goldsmith.errors import Exit, GoldsmithError

# A start makes objects by the hundred thousand, and all of them stay: there is no garbage to look for among them.
gc.set_threshold(100_000, *gc.get_threshold()[1:])

HELP = """A medallion lakehouse declared table by table.

A table is one YAML file with SQL beside it. `goldsmith check` reads them, `goldsmith run` brings the tables
up to date, `goldsmith report` shows what is in them.

Exit codes: 0 done, 1 a run failed, 2 the declarations or the call are wrong, 3 a gate stopped it,
4 the machine is not ready.
"""


app = typer.Typer(
    name="goldsmith", cls=OptionsAnywhere, help=HELP, no_args_is_help=True, rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)  # fmt: skip
for module in (
    declaring,
    generating,
    running,
    delivering,
    looking,
    quarantine,
    maintaining,
    submitting,
    catalog,
    serving,
    dqops,
    superset,
):
    module.register(app)


@app.callback()
def options(
    project: Annotated[
        str | None,
        typer.Option("--project", "-p", help="The project's folder; else the nearest with a goldsmith.yaml."),
    ] = None,
    profile: Annotated[str | None, typer.Option("--profile", help="A profile of goldsmith.yaml.")] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show Spark's own messages and stack traces.")
    ] = False,
) -> None:
    """Options that all commands share."""
    for name, value in (("GOLDSMITH_PROJECT", project), ("GOLDSMITH_PROFILE", profile)):
        if value is not None:
            os.environ[name] = value
    if verbose:
        os.environ["GOLDSMITH_VERBOSE"] = "1"
    check_profile_name()


def run(arguments: Sequence[str] | None = None) -> None:
    """Runs a command, the process's own where none is given, and turns every error into a message and an exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    verbose = "--verbose" in given
    try:
        app(given, prog_name="goldsmith")
    except GoldsmithError as error:
        if verbose:
            tell_stack()
        tell_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        tell_error(
            GoldsmithError(
                "GS506", "Interrupted.", hint="Run it again: it goes on where it stood.", retryable=True
            )
        )
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe left: Python would complain at exit once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.FAILED)
    except Exception as error:  # noqa: BLE001 - whatever it is, a person gets a message and a code
        if verbose:
            tell_stack()
        tell_error(
            GoldsmithError(
                "GS999",
                f"{type(error).__name__}: {error}",
                hint="Run it with --verbose and report what it says.",
            )
        )
        sys.exit(Exit.FAILED)


if __name__ == "__main__":
    run()
