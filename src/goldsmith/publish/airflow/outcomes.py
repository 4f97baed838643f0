"""The outcome of a job: its result file, the content of asset events, and whether to retry. Without Airflow."""

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
    """The job's result; None if it ended without one, or wrote it on another machine."""
    if not file.is_file():
        return None
    content = json.loads(file.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else None


def may_retry(exit_code: int | None, result: Result | None) -> bool:
    """Whether a retry may succeed: by the retryable flags of the errors, else by the exit code."""
    errors = errors_in(result)
    if errors:
        return any(error.get("retryable") for error in errors)
    return exit_code not in _FINAL


def errors_in(result: Result | None) -> list[Mapping[str, Any]]:
    """The errors of the tables and of the run, in chronological order."""
    if result is None:
        return []
    found = [table["error"] for table in result["tables"] if table.get("error")]
    return [*found, *result["errors"]]


def failure_message(exit_code: int | None, result: Result | None) -> str:
    """The reason of a job's failure, in one line."""
    errors = errors_in(result)
    if not errors:
        return f"The job ended with exit code {exit_code} without a result: see Spark's log above."
    first = str(errors[0]["message"]).splitlines()[0].rstrip(":")
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{errors[0]['code']} {first}{more}"


def event_extra(table: str, result: Result | None) -> dict[str, Any] | None:
    """The content of a load's asset event: run, status, counts, versions, and the expectations not met."""
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
