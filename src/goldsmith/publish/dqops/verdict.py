"""Interprets DQOps' responses for a gate, without sending requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal, Self

from goldsmith.errors import GateStopped, RunError, Where
from goldsmith.project.models import Severity
from goldsmith.publish.dqops.names import NO_GROUP

SEVERITIES = ("valid", "warning", "error", "fatal")
"""DQOps' severities, in ascending order."""

LONGEST_REASON = 600
"""The characters of a server's message that are repeated."""


def most_severe(*severities: str) -> str:
    """The highest of some severities."""
    return max(severities, key=SEVERITIES.index, default="valid")


@dataclass(frozen=True)
class Started:
    """A started run of a table's checks. key: the job's key. day: the day whose results were deleted.

    declared: the minimum number of checks that must run. limit: the severity that stops. It can be serialized as
    JSON, so one process can start a run and another can decide.
    """

    table: str
    key: str
    day: date
    declared: int
    limit: Severity

    @property
    def since(self) -> str:
        """The start of the day as a full timestamp, because the server refuses a date."""
        return f"{self.day.isoformat()}T00:00:00Z"

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "day": self.day.isoformat()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "day": date.fromisoformat(data["day"])})


@dataclass(frozen=True)
class Progress:
    """The progress of a job. summary: the counts of a finished one. status, reason: the server's texts."""

    state: Literal["running", "ended", "lost"]
    status: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "summary": dict(self.summary)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**data)


@dataclass(frozen=True)
class Failure:
    """A failed check. value, bound: the measured value and its limit, if they could be read."""

    check: str
    severity: str
    column: str | None = None
    group: str | None = None
    value: float | None = None
    bound: str | None = None

    def __str__(self) -> str:
        column = f" on {self.column}" if self.column else ""
        series = f" [{self.group}]" if self.group else ""
        measured = "" if self.value is None else f": {_figure(self.value)}"
        return f"{self.severity:7} {self.check}{column}{series}{measured}{f' ({self.bound})' if self.bound else ''}"


@dataclass(frozen=True)
class GateVerdict:
    """The verdict of a gate on a table. passed: no result reached the limit. executed: the number of checks that ran.

    resolved: descriptions of the incidents that were marked as resolved.
    """

    table: str
    passed: bool
    severity: str
    limit: Severity
    executed: int
    declared: int
    failures: tuple[Failure, ...]
    link: str
    notes: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """The verdict for a log: a summary, the failed checks, notes, and a link to the console."""
        word = "passed" if self.passed else "stopped"
        summary = f"{self.table}: {word}. {self.executed} checks ran; highest severity: {self.severity}"
        resolved = [f"Resolved the incident of {incident}." for incident in self.resolved]
        return [
            f"{summary}, gate limit: {self.limit}.",
            *map(str, self.failures),
            *self.notes,
            *resolved,
            self.link,
        ]

    def require(self) -> None:
        """Raises GateStopped GS705 if the gate did not pass."""
        if self.passed:
            return
        stopping = [f for f in self.failures if SEVERITIES.index(f.severity) >= SEVERITIES.index(self.limit)]
        listed = "\n  ".join(str(failure) for failure in stopping)
        raise GateStopped(
            "GS705",
            f"DQOps' checks of `{self.table}` reached the severity {self.severity}; its gate stops at {self.limit}."
            + (f"\n  {listed}" if listed else ""),
            where=Where(table=self.table),
            hint=f"Correct the data and run the gate again. The table in the console: {self.link}",
            verdicts=self.failures,
        )


def today(now: datetime | None = None) -> date:
    """The day in the server's time zone, which Goldsmith sets to UTC."""
    return (now or datetime.now(UTC)).astimezone(UTC).date()


def progress(body: Any) -> Progress:
    """The progress in the response to a poll. Raises ValueError if it is not a job."""
    if not isinstance(body, Mapping) or not isinstance(body.get("status"), str):
        raise ValueError("the response is not a job")
    word = body["status"]
    if word in ("queued", "running", "waiting", "cancel_requested"):
        return Progress("running", word)
    inside = (body.get("parameters") or {}).get("runChecksParameters") or {}
    reason = first_line(body.get("errorMessage"))
    return Progress("ended", word, inside.get("run_checks_result") or {}, reason)


def first_line(message: Any) -> str:
    """The first line of a server's message, without a stack trace."""
    lines = str(message or "").strip().splitlines()
    line = lines[0].rstrip() if lines else ""
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]} ..."


def could_not_execute(ended: Progress) -> int:
    """The number of checks of a run with an execution error."""
    return int(ended.summary.get("execution_errors") or 0)


def require_complete(started: Started, ended: Progress, link: str, reasons: Sequence[str] = ()) -> None:
    """Raises a retryable RunError GS704 if the run is incomplete.

    The severity alone is not sufficient: it is `valid` also if no check ran or every query failed. reasons: the
    server's messages on checks that could not be executed.
    """
    summary = ended.summary
    executed, broken = int(summary.get("executed_checks") or 0), could_not_execute(ended)
    if ended.state == "lost":
        reason = "the server has lost the job, possibly after a restart"
    elif ended.status != "finished":
        reason = f"the job ended as `{ended.status}`" + (f": {ended.reason}" if ended.reason else "")
    elif not summary:
        reason = "the job finished without a result"
    elif broken:
        reason = f"{broken} of {executed} checks could not be executed"
    elif executed < started.declared:
        reason = f"{executed} of {started.declared} declared checks ran"
    else:
        return
    raise RunError(
        "GS704",
        f"The run of DQOps' checks of `{started.table}` is incomplete: {reason}."
        + "".join(f"\n  {message}" for message in reasons),
        where=Where(table=started.table),
        hint="Check that the Thrift Server responds, that the table exists, and that the server has the user home of "
        f"`goldsmith dqops generate`. The table in the console: {link}",
        retryable=True,
    )


def failures_in(status: Any) -> tuple[Failure, ...]:
    """The checks whose latest result of the day is not valid, by descending severity, the table's own first.

    Raises ValueError if the response is not a table's status.
    """
    found = [
        Failure(check, str(state.get("current_severity")), column)
        for column, check, state in checks_in(status)
        if state.get("current_severity") in SEVERITIES[1:]
    ]
    return tuple(sorted(found, key=lambda failure: -SEVERITIES.index(failure.severity)))


def checks_in(status: Any) -> Iterator[tuple[str | None, str, Mapping[str, Any]]]:
    """Column, name and state of each check in a table's status, the table's own first.

    Raises ValueError if the response is not a table's status.
    """
    if not isinstance(status, Mapping) or not isinstance(status.get("checks", {}), Mapping):
        raise ValueError("the response is not a table's status")
    columns = status.get("columns") or {}
    parts = [(None, status), *columns.items()]
    for column, part in parts:
        for check, state in (part.get("checks") or {}).items():
            yield column, check, state


def failed_columns(status: Any) -> tuple[str | None, ...]:
    """The columns with checks that could not be executed; None for the table. Raises as `checks_in`."""
    return tuple(
        dict.fromkeys(column for column, _, state in checks_in(status) if state.get("execution_errors"))
    )


def reasons_in(errors: Any, day: date) -> dict[str, str]:
    """Messages of execution errors on a day, each with a text that also names the check."""
    found: dict[str, str] = {}
    for check in errors if isinstance(errors, list) else []:
        for entry in check.get("errorEntries") or []:
            message = first_line(entry.get("errorMessage"))
            if message and _day_of(entry) == day.isoformat():
                on = f" on {entry['columnName']}" if entry.get("columnName") else ""
                found.setdefault(message, f"{check.get('checkName')}{on}: {message}")
    return found


def _day_of(entry: Mapping[str, Any]) -> str:
    return str(entry.get("timePeriod", ""))[:10]


def with_values(failures: tuple[Failure, ...], results: Any, day: date) -> tuple[Failure, ...]:
    """Failures with their measured values: one per failed series of the day.

    results: the response with the results of a column, or of the table. Failures without a result do not change.
    """
    entries = [
        entry
        for series in (results if isinstance(results, list) else [])
        for entry in series.get("checkResultEntries") or []
        if _day_of(entry) == day.isoformat()
    ]
    found: list[Failure] = []
    for failure in failures:
        measured = [
            _measured(failure, entry)
            for entry in entries
            if entry.get("checkName") == failure.check
            and (entry.get("columnName") or None) == failure.column
            and int(entry.get("severity") or 0) > 0
        ]
        found += measured or [failure]
    return tuple(found)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.6g}"


def _measured(failure: Failure, entry: Mapping[str, Any]) -> Failure:
    severity = SEVERITIES[min(int(entry["severity"]), len(SEVERITIES) - 1)]
    least, most = entry.get(f"{severity}LowerBound"), entry.get(f"{severity}UpperBound")
    limits = [f"at least {_figure(least)}"] if least is not None else []
    limits += [f"at most {_figure(most)}"] if most is not None else []
    group = entry.get("dataGroup")
    return Failure(
        failure.check,
        severity,
        failure.column,
        None if group in (None, "", NO_GROUP) else str(group),
        entry.get("actualValue"),
        " and ".join(limits) or None,
    )
