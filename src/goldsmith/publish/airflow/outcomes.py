"""What a job left behind: its result file, what of it goes into asset events, and whether to try again. Without Airflow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goldsmith.errors import Exit

_FINAL = frozenset({Exit.WRONG_CALL, Exit.GATE, Exit.NOT_READY})
_COUNTS = ("rows_in", "written", "quarantined", "dropped", "superseded", "inserted", "updated", "deleted")

Result = Mapping[str, Any]


def read_result(file: Path) -> Result | None:
    """The job's result; None where it ended before it could write one, or runs where this file is not."""
    if not file.is_file():
        return None
    content = json.loads(file.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else None


def may_retry(exit_code: int | None, result: Result | None) -> bool:
    """Whether the same task may succeed when it is tried again: the errors say it, else the exit code does."""
    errors = errors_in(result)
    if errors:
        return any(error.get("retryable") for error in errors)
    return exit_code not in _FINAL


def errors_in(result: Result | None) -> list[Mapping[str, Any]]:
    """The errors of the tables and of the run, in the order in which they happened."""
    if result is None:
        return []
    found = [table["error"] for table in result["tables"] if table.get("error")]
    return [*found, *result["errors"]]


def told(exit_code: int | None, result: Result | None) -> str:
    """Why the job failed, in one line."""
    errors = errors_in(result)
    if not errors:
        return f"The job ended with exit code {exit_code} and left no result: see Spark's log above."
    first = str(errors[0]["message"]).splitlines()[0].rstrip(":")
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{errors[0]['code']} {first}{more}"


def extra_of(table: str, result: Result | None) -> dict[str, Any] | None:
    """What an asset's event says of a load: run, status, counts, versions, and the verdicts that did not hold."""
    loaded = next((item for item in (result or {}).get("tables", ()) if item["table"] == table), None)
    if result is None or loaded is None:
        return None
    counts = loaded["counts"]
    return {
        "run_id": result["run_id"],
        "status": loaded["status"],
        "seconds": loaded["seconds"],
        "rows": {name: counts[name] for name in _COUNTS if counts.get(name)},
        "versions": loaded["versions"],
        "expectations": len(loaded["verdicts"]),
        "not_held": [
            {key: verdict[key] for key in ("name", "otherwise", "failed", "checked")}
            for verdict in loaded["verdicts"]
            if not verdict["ok"]
        ],
    }
