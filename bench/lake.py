"""The settings and the Thrift Server of this clone's containers, for measurements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyhive import hive

ROOT = Path(__file__).parents[1]


def settings() -> dict[str, str]:
    """The settings in .env. Raises FileNotFoundError before `make up` or `make env`."""
    lines = (ROOT / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def query(statement: str) -> list[tuple[Any, ...]]:
    """The rows of a query on the Thrift Server."""
    port = int(settings().get("THRIFT_PORT", "10000"))
    with hive.connect("127.0.0.1", port, username="bench", auth="NONE") as server:
        cursor = server.cursor()
        cursor.execute(statement)
        return [tuple(row) for row in cursor.fetchall()]
