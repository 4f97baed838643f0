#!/opt/venv/bin/python
"""Opens the tables that dashboards read once after the Thrift Server's start, so that no reader is the first.

A table's first query reads its log and loads the code for it, which takes seconds. Waits until the server answers;
without tables, or where it cannot log in, there is nothing to do.
"""

import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

SCHEMAS = ("gold", "ops")
SECONDS = 300


def connected() -> Any:
    """A connection as soon as the server takes one. Raises the last error after SECONDS."""
    from serving import connect

    end = time.monotonic() + SECONDS
    while True:
        try:
            return connect(socket.gethostname())
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(1)


def warm(connection: Any) -> int:
    """Opens every table of the schemas; returns how many."""
    cursor = connection.cursor()
    cursor.execute("SHOW DATABASES")
    there = {row[0] for row in cursor.fetchall()}
    opened = 0
    for schema in (name for name in SCHEMAS if name in there):
        cursor.execute(f"SHOW TABLES IN {schema}")
        for name in [row[1] for row in cursor.fetchall()]:
            # What charts do: read columns, group, sort.
            rows = f"SELECT * FROM {schema}.{name} LIMIT 1000"
            cursor.execute(
                f"SELECT hash(struct(*)) % 8 AS part, count(*) FROM ({rows}) GROUP BY 1 ORDER BY 2"
            )
            cursor.fetchall()
            opened += 1
    return opened


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    if os.environ.get("THRIFT_TLS_KEYSTORE"):
        sys.exit()
    started = time.monotonic()
    try:
        with connected() as connection:
            count = warm(connection)
    except Exception as error:
        sys.exit(f"The tables are not opened ahead of readers: {type(error).__name__}: {str(error)[:300]}")
    print(f"Opened {count} tables, {time.monotonic() - started:.0f} s after the start.", flush=True)
