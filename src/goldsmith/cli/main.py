"""The command `goldsmith`: its commands and shared options, and how errors end it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from goldsmith.cli import (
    airflow,
    catalog,
    check,
    dqops,
    feed,
    init,
    job,
    landing,
    plan,
    quarantine,
    report,
    schema,
    spark,
    sql,
    status,
    superset,
    table,
)
from goldsmith.cli import run as run_command
from goldsmith.cli.console import print_error, print_traceback
from goldsmith.cli.groups import Commands
from goldsmith.cli.opening import check_profile_name
from goldsmith.errors import Exit, GoldsmithError

# A start creates some hundred thousand objects that stay alive: collecting them early finds no garbage.
gc.set_threshold(100_000, *gc.get_threshold()[1:])

HELP = """A medallion lakehouse declared table by table.

A table is one YAML file with SQL beside it. `goldsmith check` checks the files, `goldsmith run` loads the tables.
`goldsmith COMMAND --help` explains a command.

Exit codes: 0 done, 1 a run failed, 2 the declarations or the call are wrong, 3 a gate stopped a table,
4 the machine is not ready, 5 there is something to load and `--without-spark` forbids it.
"""


app = typer.Typer(
    name="goldsmith", cls=Commands, help=HELP, no_args_is_help=True, rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)  # fmt: skip
for module in (
    init,
    check,
    schema,
    plan,
    run_command,
    feed,
    landing,
    job,
    status,
    sql,
    table,
    quarantine,
    catalog,
    report,
    airflow,
    superset,
    dqops,
    spark,
):
    module.register(app)


@app.callback()
def options(
    project: Annotated[
        str | None,
        typer.Option(
            "--project", "-p", help="The project's folder. Default: the nearest with a goldsmith.yaml."
        ),
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", help="A profile of goldsmith.yaml. Default: the one it names.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Print Spark's messages and stack traces.")
    ] = False,
) -> None:
    """Sets the options that all commands share."""
    for name, value in (("GOLDSMITH_PROJECT", project), ("GOLDSMITH_PROFILE", profile)):
        if value is not None:
            os.environ[name] = value
    if verbose:
        os.environ["GOLDSMITH_VERBOSE"] = "1"
    check_profile_name()


def run(arguments: Sequence[str] | None = None) -> None:
    """Runs a command and exits. Every error becomes a message and an exit code. arguments: else those of the process."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    verbose = "--verbose" in given
    try:
        app(given, prog_name="goldsmith")
    except GoldsmithError as error:
        if verbose:
            print_traceback()
        print_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print_error(
            GoldsmithError(
                "GS506",
                "Interrupted.",
                hint="Run it again to continue: committed loads are kept.",
                retryable=True,
            )
        )
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe has exited: without this, Python reports the error again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.FAILED)
    except Exception as error:  # noqa: BLE001 - every error becomes a message and an exit code
        if verbose:
            print_traceback()
        print_error(
            GoldsmithError(
                "GS999",
                f"{type(error).__name__}: {error}",
                hint="Run it with --verbose and report its output.",
            )
        )
        sys.exit(Exit.FAILED)


if __name__ == "__main__":
    run()
