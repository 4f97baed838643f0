#!/opt/venv/bin/python
"""Opens the tables that dashboards read once after the Thrift Server's start, so that no reader is the first.

A table's first query reads its log and loads the code for it, which takes seconds. Waits until the server answers;
without tables, or where it cannot log in, there is nothing to do.
"""

import os
import socket
import sys
import time
from typing import Any

from serving import connect, told

SCHEMAS = ("gold", "ops")
SECONDS = 300


def connected() -> Any:
    """A connection as soon as the server takes one. Raises the last error after SECONDS."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            return connect(socket.gethostname())
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(1)


def warm(connection: Any) -> tuple[int, list[str]]:
    """Opens every table of the schemas. Returns how many, and what is wrong with the others."""
    cursor = connection.cursor()
    cursor.execute("SHOW DATABASES")
    there = {row[0] for row in cursor.fetchall()}
    opened, troubles = 0, []
    for schema in (name for name in SCHEMAS if name in there):
        cursor.execute(f"SHOW TABLES IN {schema}")
        for name in [row[1] for row in cursor.fetchall()]:
            try:
                cursor.execute(opening(f"{schema}.`{name}`"))
                cursor.fetchall()
                opened += 1
            except Exception as error:
                troubles.append(f"{schema}.{name} is not opened ahead of readers: {told(error)}")
    return opened, troubles


def opening(table: str) -> str:
    """A query that does what charts do, reads columns, groups and sorts, whatever the columns are."""
    parts = f"SELECT length(to_json(struct(*))) % 8 AS part FROM (SELECT * FROM {table} LIMIT 1000)"
    return f"SELECT part, count(*) FROM ({parts}) GROUP BY part ORDER BY 2"


if __name__ == "__main__":
    if os.environ.get("THRIFT_TLS_KEYSTORE"):
        sys.exit()
    started = time.monotonic()
    try:
        with connected() as connection:
            count, troubles = warm(connection)
    except Exception as error:
        sys.exit(f"The tables are not opened ahead of readers: {told(error)}")
    for trouble in troubles:
        print(trouble, flush=True)
    print(f"Opened {count} tables, {time.monotonic() - started:.0f} s after the start.", flush=True)
