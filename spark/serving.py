#!/opt/venv/bin/python
"""Sends one statement to the Thrift Server and prints its rows. Without one it is read from standard input."""

import os
import re
import socket
import sys
from typing import Any

from pyhive import exc, hive
from thrift.transport.TTransport import TTransportException

SHOWN = 1000

_EXCEPTION = re.compile(
    r"^(?:Error running query: (?:\[\w+(?:\.\w+)*\] )?)?(?:[a-z]\w*\.)+\w+(?:Exception|Error): "
)
"""What comes before a message of Spark's: `Error running query: [CLASS] org.apache.spark...AnalysisException: `."""
_PLAN = re.compile(r";\s*\n(?='?[A-Z][A-Za-z]+\b)")
"""Where an analysis error goes on with the plan of the query."""


def connect(host: str, port: int = 10000) -> Any:
    """A connection to the Thrift Server: as `engineer` if that account has a password here, else without one."""
    user = "engineer"
    password = os.environ.get("THRIFT_ENGINEER_PASSWORD")
    how = {"auth": "CUSTOM", "password": password} if password else {"auth": "NONE"}
    return hive.connect(host, port, username=user, **how)


def show(statement: str) -> None:
    """Prints what a statement returns: at most SHOWN rows."""
    # Not for health checks, which come here every few seconds.
    from rich.console import Console
    from rich.table import Table

    with connect(os.environ.get("THRIFT_HOST") or socket.gethostname()) as connection:
        cursor = connection.cursor()
        cursor.execute(statement)
        if cursor.description is None:
            return
        table = Table(*(str(column[0]) for column in cursor.description))
        rows = cursor.fetchmany(SHOWN + 1)
        for row in rows[:SHOWN]:
            table.add_row(*("NULL" if value is None else str(value) for value in row))
        console = Console(width=None if sys.stdout.isatty() else 10_000)
        console.print(table)
        if len(rows) > SHOWN:
            console.print(f"The first {SHOWN} rows.")


def told(error: Exception) -> str:
    """The server's own message: without its Java stack, the names of Java's exceptions and the plan it adds."""
    status = getattr(error.args[0], "status", None) if error.args else None
    message = str(getattr(status, "errorMessage", None) or error)
    message = re.split(r"\n\tat |\nJVM stacktrace", message, maxsplit=1)[0]
    message = _EXCEPTION.sub("", message)
    plan = _PLAN.search(message)
    return (message[: plan.start()] if plan else message).rstrip()


def main() -> None:
    """Prints the server's own first lines where the statement fails."""
    try:
        show((sys.argv[1] if len(sys.argv) > 1 else sys.stdin.read()).rstrip("; \n") or "SHOW DATABASES")
    except exc.Error as error:
        sys.exit(told(error))
    except TTransportException as error:
        sys.exit(f"The Thrift Server does not answer: {error}")


if __name__ == "__main__":
    main()
