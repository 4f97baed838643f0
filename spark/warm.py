#!/opt/venv/bin/python
"""Opens the tables of dashboards once after the Thrift Server's start, so that the first reader does not wait.

The first query of a table reads its log and loads code, which takes seconds. Waits until the server responds. Does nothing
without tables, or if it cannot log in.
"""

import os
import socket
import sys
import time
from typing import Any

from serving import connect, error_message

SCHEMAS = ("gold", "ops")
SECONDS = 300


def connected() -> Any:
    """A connection, once the server accepts one. Raises the last error after SECONDS."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            return connect(socket.gethostname())
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(1)


def warm(connection: Any) -> tuple[int, list[str]]:
    """Opens all tables of the schemas. Returns their number, and the errors of the others."""
    cursor = connection.cursor()
    cursor.execute("SHOW DATABASES")
    existing = {row[0] for row in cursor.fetchall()}
    opened, errors = 0, []
    for schema in (name for name in SCHEMAS if name in existing):
        cursor.execute(f"SHOW TABLES IN {schema}")
        for name in [row[1] for row in cursor.fetchall()]:
            try:
                cursor.execute(opening(f"{schema}.`{name}`"))
                cursor.fetchall()
                opened += 1
            except Exception as error:
                errors.append(f"{schema}.{name} could not be opened in advance: {error_message(error)}")
    return opened, errors


def opening(table: str) -> str:
    """A query with the operations of charts (read, group, sort) for a table with any columns."""
    parts = f"SELECT length(to_json(struct(*))) % 8 AS part FROM (SELECT * FROM {table} LIMIT 1000)"
    return f"SELECT part, count(*) FROM ({parts}) GROUP BY part ORDER BY 2"


if __name__ == "__main__":
    if os.environ.get("THRIFT_TLS_KEYSTORE"):
        sys.exit()
    started = time.monotonic()
    try:
        with connected() as connection:
            count, errors = warm(connection)
    except Exception as error:
        sys.exit(f"The tables could not be opened in advance: {error_message(error)}")
    for message in errors:
        print(message, flush=True)
    print(f"Opened {count} tables, {time.monotonic() - started:.0f} s after the start.", flush=True)
