#!/opt/venv/bin/python
"""Sends one statement to the Thrift Server and prints its rows. Reads it from standard input if not given."""

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
"""The prefix of a Spark message: `Error running query: [CLASS] org.apache.spark...AnalysisException: `."""
_PLAN = re.compile(r";\s*\n(?='?[A-Z][A-Za-z]+\b)")
"""The start of the query plan in an analysis error."""


def connect(host: str, port: int = 10000) -> Any:
    """A connection to the Thrift Server: as `engineer` if its password is set here, else without a password."""
    user = "engineer"
    password = os.environ.get("THRIFT_ENGINEER_PASSWORD")
    how = {"auth": "CUSTOM", "password": password} if password else {"auth": "NONE"}
    return hive.connect(host, port, username=user, **how)


def show(statement: str) -> None:
    """Prints the rows of a statement, at most SHOWN."""
    # Imported here, because health checks import this module every few seconds.
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


def error_message(error: Exception) -> str:
    """The server's message without the Java stack trace, exception names and query plan."""
    status = getattr(error.args[0], "status", None) if error.args else None
    message = str(getattr(status, "errorMessage", None) or error)
    message = re.split(r"\n\tat |\nJVM stacktrace", message, maxsplit=1)[0]
    message = _EXCEPTION.sub("", message)
    plan = _PLAN.search(message)
    return (message[: plan.start()] if plan else message).rstrip()


def main() -> None:
    """Prints the rows, or the server's message if the statement fails."""
    try:
        show((sys.argv[1] if len(sys.argv) > 1 else sys.stdin.read()).rstrip("; \n") or "SHOW DATABASES")
    except exc.Error as error:
        sys.exit(error_message(error))
    except TTransportException as error:
        sys.exit(f"The Thrift Server does not respond: {error}")


if __name__ == "__main__":
    main()
