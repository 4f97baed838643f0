"""The gate: runs a table's checks in DQOps and returns a reliable verdict.

Call `start_run`, then `wait` or `wait_async`, then `decide`. Each may run in another process. A retry is safe: it
deletes the results of the previous attempt, because the server evaluates a value only once a day.
"""

from __future__ import annotations

from collections.abc import Callable

from goldsmith.errors import GoldsmithError
from goldsmith.project.models import Severity
from goldsmith.publish.dqops import endpoints
from goldsmith.publish.dqops.client import OK, ApiResponse, DqopsClient, response_error
from goldsmith.publish.dqops.incidents import resolve_recovered
from goldsmith.publish.dqops.names import IMPORT_CHECK
from goldsmith.publish.dqops.running import GRACE_PERIOD, PAUSE, JobWatch, OnStart, start_run, wait
from goldsmith.publish.dqops.verdict import (
    SEVERITIES,
    Failure,
    GateVerdict,
    Progress,
    Started,
    could_not_execute,
    failed_columns,
    failures_in,
    most_severe,
    reasons_in,
    require_complete,
    with_values,
)

MAX_STARTS = 2
"""How often a run is started if the server loses the job, as after a restart."""

REASONS = 3
"""The maximum number of server messages in an error."""


def decide(client: DqopsClient, started: Started, ended: Progress) -> GateVerdict:
    """The verdict of a finished run. If it passes, incidents whose checks pass again are resolved.

    The severity is the highest of the run's result and of the latest result of each check, because the run's result
    lacks values that the server had already evaluated on that day. Raises RunError GS704 if the run is incomplete,
    GS702 or NotReady GS701 if the server returns no status.
    """
    link = endpoints.console_link(client.console, started.table)
    _complete(client, started, ended, link)
    request = endpoints.status(started.table, started.since)
    answer = client.call(request)
    try:
        failures = failures_in(answer.body) if answer.status == OK else None
    except ValueError:
        failures = None
    if failures is None:
        raise response_error(request, answer)
    executed = int(ended.summary.get("executed_checks") or 0)
    notes: list[str] = []
    if executed > started.declared:
        notes.append(f"{executed - started.declared} more checks ran than the local user home declares.")
    failures, unread = _with_values(client, started, failures)
    notes += unread
    reported = str(ended.summary.get("highest_severity") or "valid")
    severity = most_severe(
        reported if reported in SEVERITIES else "fatal", *(failure.severity for failure in failures)
    )
    passed = SEVERITIES.index(severity) < SEVERITIES.index(started.limit)
    resolved: tuple[str, ...] = ()
    if passed:
        try:
            resolved = resolve_recovered(client, started.table, answer.body)
        except GoldsmithError as error:
            notes.append(f"Its incidents could not be resolved: {error.message}")
    return GateVerdict(
        started.table,
        passed,
        severity,
        started.limit,
        executed,
        started.declared,
        failures,
        link,
        tuple(notes),
        resolved,
    )


def _with_values(
    client: DqopsClient, started: Started, failures: tuple[Failure, ...]
) -> tuple[tuple[Failure, ...], list[str]]:
    """Failures with their measured values, and a note if the server cannot return them."""
    for column in dict.fromkeys(failure.column for failure in failures):
        response = client.try_call(endpoints.results(started.table, column, started.day))
        if not isinstance(response, ApiResponse) or response.status != OK:
            return failures, ["The measured values could not be read; see the console."]
        failures = with_values(failures, response.body, started.day)
    return failures, []


def _complete(client: DqopsClient, started: Started, ended: Progress, link: str) -> None:
    """Raises RunError GS704 for an incomplete run, with the server's reasons."""
    require_complete(started, ended, link, _reasons(client, started) if could_not_execute(ended) else ())


def _reasons(client: DqopsClient, started: Started) -> list[str]:
    """The reasons for execution errors of a run, as far as the server reports them."""
    response = client.try_call(endpoints.status(started.table, started.since))
    try:
        columns = (
            failed_columns(response.body)
            if isinstance(response, ApiResponse) and response.status == OK
            else ()
        )
    except ValueError:
        columns = ()
    reasons: dict[str, str] = {}
    for column in columns:
        errors = client.try_call(endpoints.errors(started.table, column, started.day))
        if not isinstance(errors, ApiResponse) or errors.status != OK:
            break
        for message, reason in reasons_in(errors.body, started.day).items():
            reasons.setdefault(message, reason)
        if len(reasons) >= REASONS:
            break
    return list(reasons.values())[:REASONS]


def run_gate(
    client: DqopsClient,
    table: str,
    *,
    declared: int,
    limit: Severity,
    timeout: float,
    pause: float = PAUSE,
    grace: float = GRACE_PERIOD,
) -> GateVerdict:
    """Runs the whole gate in one call. Raises as its parts."""
    return decide(
        client,
        *_ended(
            client, lambda: start_run(client, table, declared=declared, limit=limit), timeout, pause, grace
        ),
    )


def import_verdicts(
    client: DqopsClient,
    table: str,
    *,
    timeout: float,
    pause: float = PAUSE,
    grace: float = GRACE_PERIOD,
    on_start: OnStart | None = None,
) -> str:
    """Imports the verdicts of a table's loads into the console and returns their highest severity.

    The day's other results of the table are kept. Raises as `start_run`, `JobWatch.read` and `require_complete`.
    """
    started, ended = _ended(
        client,
        lambda: start_run(client, table, declared=1, limit="fatal", check=IMPORT_CHECK, on_start=on_start),
        timeout,
        pause,
        grace,
    )
    _complete(client, started, ended, endpoints.console_link(client.console, table))
    return str(ended.summary.get("highest_severity") or "valid")


def _ended(
    client: DqopsClient, start: Callable[[], Started], timeout: float, pause: float, grace: float
) -> tuple[Started, Progress]:
    """A run and its end. A job that the server has lost is started once more."""
    for left in reversed(range(MAX_STARTS)):
        started = start()
        ended = wait(client, JobWatch(started, timeout, grace), pause)
        if ended.state != "lost" or not left:
            break
    return started, ended
