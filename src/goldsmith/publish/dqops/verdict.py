"""What DQOps' answers mean for a gate: nothing here talks to a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal, Self

from goldsmith.errors import GateStopped, RunError, Where
from goldsmith.project.models import Severity
from goldsmith.publish.dqops.names import NO_GROUP

SEVERITIES = ("valid", "warning", "error", "fatal")
"""DQOps' severities, the least grave first."""


def graver(*severities: str) -> str:
    """The gravest of some severities."""
    return max(severities, key=SEVERITIES.index, default="valid")


@dataclass(frozen=True)
class Started:
    """A run of a table's checks that was begun. key: the job's name at the server. day: whose results were forgotten.

    declared: how many checks must run at least. limit: the severity that stops. It goes through JSON unharmed, so
    that one process can begin and another decide.
    """

    table: str
    key: str
    day: date
    declared: int
    limit: Severity

    @property
    def since(self) -> str:
        """The day's beginning as a full timestamp: a date alone is refused."""
        return f"{self.day.isoformat()}T00:00:00Z"

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "day": self.day.isoformat()}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        return cls(**{**told, "day": date.fromisoformat(told["day"])})


@dataclass(frozen=True)
class Progress:
    """How a job stands. summary: the counts of one that finished. status, reason: the server's own words."""

    state: Literal["running", "ended", "lost"]
    status: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "summary": dict(self.summary)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        return cls(**told)


@dataclass(frozen=True)
class Failure:
    """A check that did not hold. value, bound: what it measured and its limit, where they could be read."""

    check: str
    severity: str
    column: str | None = None
    group: str | None = None
    value: float | None = None
    bound: str | None = None

    def __str__(self) -> str:
        place = f" on {self.column}" if self.column else ""
        series = f" [{self.group}]" if self.group else ""
        measured = "" if self.value is None else f": {self.value:g}"
        return f"{self.severity:7} {self.check}{place}{series}{measured}{f' ({self.bound})' if self.bound else ''}"


@dataclass(frozen=True)
class Verdict:
    """What a gate says of a table. passed: nothing was as grave as the limit. executed: checks that ran.

    resolved: incidents that were marked as resolved, as their data is.
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
        """The verdict for a log: one sentence, each failed check, and where to look."""
        word = "passed" if self.passed else "stopped"
        told = f"{self.table}: {word}. {self.executed} checks ran; the gravest result is {self.severity}"
        resolved = [f"Resolved the incident of {incident}." for incident in self.resolved]
        return [
            f"{told}, the gate's limit {self.limit}.",
            *map(str, self.failures),
            *self.notes,
            *resolved,
            self.link,
        ]

    def require(self) -> None:
        """Raises GateStopped GS705 where the gate did not pass."""
        if self.passed:
            return
        stopping = [f for f in self.failures if SEVERITIES.index(f.severity) >= SEVERITIES.index(self.limit)]
        told = "\n  ".join(str(failure) for failure in stopping)
        raise GateStopped(
            "GS705",
            f"DQOps' checks of `{self.table}` give {self.severity}, and its gate stops at {self.limit}."
            + (f"\n  {told}" if told else ""),
            where=Where(table=self.table),
            hint=f"Mend the data and run the gate again. The table in the console: {self.link}",
            verdicts=self.failures,
        )


def today(now: datetime | None = None) -> date:
    """The day in the server's time zone, which Goldsmith sets to UTC."""
    return (now or datetime.now(UTC)).astimezone(UTC).date()


def progress(body: Any) -> Progress:
    """What the answer to a poll says. Raises ValueError where it is no job."""
    if not isinstance(body, Mapping) or not isinstance(body.get("status"), str):
        raise ValueError("the answer describes no job")
    word = body["status"]
    if word in ("queued", "running", "waiting", "cancel_requested"):
        return Progress("running", word)
    inside = (body.get("parameters") or {}).get("runChecksParameters") or {}
    reason = brief(body.get("errorMessage"))
    return Progress("ended", word, inside.get("run_checks_result") or {}, reason)


def brief(told: Any) -> str:
    """The first line of a server's message, which may go on with a stack trace."""
    lines = str(told or "").strip().splitlines()
    return lines[0][:300] if lines else ""


def could_not_execute(ended: Progress) -> int:
    """How many checks of a run had an error instead of a result."""
    return int(ended.summary.get("execution_errors") or 0)


def complete(started: Started, ended: Progress, link: str, reasons: Sequence[str] = ()) -> None:
    """Raises RunError GS704, which may be retried, where the run cannot be decided on.

    A severity alone says nothing: it is `valid` too where no check ran and where every query failed. reasons: what
    the server says of checks that could not be executed.
    """
    summary = ended.summary
    executed, broken = int(summary.get("executed_checks") or 0), could_not_execute(ended)
    if ended.state == "lost":
        reason = "the server does not know the job any more; it may have been restarted"
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
        f"DQOps' checks of `{started.table}` did not run as they must: {reason}."
        + "".join(f"\n  {told}" for told in reasons),
        where=Where(table=started.table),
        hint="See that the Thrift Server answers, that the table is there, and that the server has the user home of "
        f"`goldsmith dqops generate`. The table in the console: {link}",
        retryable=True,
    )


def failures_in(status: Any) -> tuple[Failure, ...]:
    """The checks whose latest result of the day is not valid, table first, the gravest first.

    Raises ValueError where the answer is no table's status.
    """
    found = [
        Failure(check, str(held.get("current_severity")), column)
        for column, check, held in checks_in(status)
        if held.get("current_severity") in SEVERITIES[1:]
    ]
    return tuple(sorted(found, key=lambda failure: -SEVERITIES.index(failure.severity)))


def checks_in(status: Any) -> Iterator[tuple[str | None, str, Mapping[str, Any]]]:
    """Column, name and state of each check in a table's status, the table's own first.

    Raises ValueError where the answer is no table's status.
    """
    if not isinstance(status, Mapping) or not isinstance(status.get("checks", {}), Mapping):
        raise ValueError("the answer describes no table's status")
    columns = status.get("columns") or {}
    places = [(None, status), *columns.items()]
    for column, place in places:
        for check, held in (place.get("checks") or {}).items():
            yield column, check, held


def broken_in(status: Any) -> tuple[str | None, ...]:
    """Where checks could not be executed: columns, None for the table. Raises as `checks_in`."""
    return tuple(
        dict.fromkeys(column for column, _, held in checks_in(status) if held.get("execution_errors"))
    )


def reasons_in(errors: Any, day: date) -> dict[str, str]:
    """Error messages of checks that could not be executed on a day, each with the text that also names the check."""
    told: dict[str, str] = {}
    for check in errors if isinstance(errors, list) else []:
        for entry in check.get("errorEntries") or []:
            message = brief(entry.get("errorMessage"))
            if message and _day_of(entry) == day.isoformat():
                on = f" on {entry['columnName']}" if entry.get("columnName") else ""
                told.setdefault(message, f"{check.get('checkName')}{on}: {message}")
    return told


def _day_of(entry: Mapping[str, Any]) -> str:
    return str(entry.get("timePeriod", ""))[:10]


def with_values(failures: tuple[Failure, ...], results: Any, day: date) -> tuple[Failure, ...]:
    """Failures with what was measured: one for each series of the day that did not hold.

    results: the answer of the results' call for a column, or for the table; a failure that it does not name stays as
    it is.
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


def _measured(failure: Failure, entry: Mapping[str, Any]) -> Failure:
    severity = SEVERITIES[min(int(entry["severity"]), len(SEVERITIES) - 1)]
    least, most = entry.get(f"{severity}LowerBound"), entry.get(f"{severity}UpperBound")
    limits = [f"at least {least:g}"] if least is not None else []
    limits += [f"at most {most:g}"] if most is not None else []
    group = entry.get("dataGroup")
    return Failure(
        failure.check,
        severity,
        failure.column,
        None if group in (None, "", NO_GROUP) else str(group),
        entry.get("actualValue"),
        " and ".join(limits) or None,
    )
