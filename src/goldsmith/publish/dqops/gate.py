"""The gate: a table's checks run by DQOps, and a verdict that can be trusted.

`begin`, then `follow` or `followed`, then `decide`. Each may happen in another process, and all of it may be done
again: a new try forgets what a former one stored, since the server judges a value only once a day.
"""

from __future__ import annotations

from collections.abc import Callable

from goldsmith.errors import GoldsmithError
from goldsmith.project.models import Severity
from goldsmith.publish.dqops import calls
from goldsmith.publish.dqops.client import OK, Answer, Client, refused
from goldsmith.publish.dqops.incidents import resolve_recovered
from goldsmith.publish.dqops.names import IMPORT_CHECK
from goldsmith.publish.dqops.running import GRACE, PAUSE, Announce, Watch, begin, follow
from goldsmith.publish.dqops.verdict import (
    SEVERITIES,
    Failure,
    Progress,
    Started,
    Verdict,
    broken_in,
    complete,
    could_not_execute,
    failures_in,
    graver,
    reasons_in,
    with_values,
)

TRIES = 2
"""How often a run is begun where the server forgets the job, as after a restart."""


REASONS = 3
"""How many of the server's messages an error repeats."""


def decide(client: Client, started: Started, ended: Progress) -> Verdict:
    """The verdict on a run that ended; where it passes, incidents whose checks hold again are resolved.

    The gravest of the run's own result and of the latest of each check counts: a value that the server had judged
    already on that day is missing from the run's result. Raises RunError GS704 where the run says nothing, GS702
    and NotReady GS701 where the server does not tell.
    """
    link = calls.console_link(client.console, started.table)
    _complete(client, started, ended, link)
    asking = calls.status(started.table, started.since)
    answer = client.call(asking)
    try:
        failures = failures_in(answer.body) if answer.status == OK else None
    except ValueError:
        failures = None
    if failures is None:
        raise refused(asking, answer)
    executed = int(ended.summary.get("executed_checks") or 0)
    notes: list[str] = []
    if executed > started.declared:
        notes.append(f"{executed - started.declared} more checks ran than the user home declares here.")
    failures, unread = _with_values(client, started, failures)
    notes += unread
    said = str(ended.summary.get("highest_severity") or "valid")
    severity = graver(said if said in SEVERITIES else "fatal", *(failure.severity for failure in failures))
    passed = SEVERITIES.index(severity) < SEVERITIES.index(started.limit)
    resolved: tuple[str, ...] = ()
    if passed:
        try:
            resolved = resolve_recovered(client, started.table, answer.body)
        except GoldsmithError as error:
            notes.append(f"Its incidents could not be resolved: {error.message}")
    return Verdict(
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
    client: Client, started: Started, failures: tuple[Failure, ...]
) -> tuple[tuple[Failure, ...], list[str]]:
    """Failures with their measured values, and a note if the server cannot return them."""
    for column in dict.fromkeys(failure.column for failure in failures):
        told = client.ask(calls.results(started.table, column, started.day))
        if not isinstance(told, Answer) or told.status != OK:
            return failures, ["What the checks measured could not be read; the console has it."]
        failures = with_values(failures, told.body, started.day)
    return failures, []


def _complete(client: Client, started: Started, ended: Progress, link: str) -> None:
    """Raises RunError GS704 where a run cannot be decided on, with the server's reasons."""
    complete(started, ended, link, _reasons(client, started) if could_not_execute(ended) else ())


def _reasons(client: Client, started: Started) -> list[str]:
    """Why checks of a run could not be executed, as far as the server reports it."""
    told = client.ask(calls.status(started.table, started.since))
    try:
        places = broken_in(told.body) if isinstance(told, Answer) and told.status == OK else ()
    except ValueError:
        places = ()
    reasons: dict[str, str] = {}
    for column in places:
        errors = client.ask(calls.errors(started.table, column, started.day))
        if not isinstance(errors, Answer) or errors.status != OK:
            break
        for message, reason in reasons_in(errors.body, started.day).items():
            reasons.setdefault(message, reason)
        if len(reasons) >= REASONS:
            break
    return list(reasons.values())[:REASONS]


def run_gate(
    client: Client,
    table: str,
    *,
    declared: int,
    limit: Severity,
    timeout: float,
    pause: float = PAUSE,
    grace: float = GRACE,
) -> Verdict:
    """The whole gate in one call. Raises as its parts."""
    return decide(
        client,
        *_ended(client, lambda: begin(client, table, declared=declared, limit=limit), timeout, pause, grace),
    )


def import_verdicts(
    client: Client,
    table: str,
    *,
    timeout: float,
    pause: float = PAUSE,
    grace: float = GRACE,
    announce: Announce | None = None,
) -> str:
    """Brings what a table's loads found into the console and gives the gravest severity of it.

    The day's other results of the table stay. Raises as `begin`, `Watch.read` and `complete`.
    """
    started, ended = _ended(
        client,
        lambda: begin(client, table, declared=1, limit="fatal", check=IMPORT_CHECK, announce=announce),
        timeout,
        pause,
        grace,
    )
    _complete(client, started, ended, calls.console_link(client.console, table))
    return str(ended.summary.get("highest_severity") or "valid")


def _ended(
    client: Client, begin_it: Callable[[], Started], timeout: float, pause: float, grace: float
) -> tuple[Started, Progress]:
    """A run and its end. A job that the server forgot is begun once more."""
    for left in reversed(range(TRIES)):
        started = begin_it()
        ended = follow(client, Watch(started, timeout, grace), pause)
        if ended.state != "lost" or not left:
            break
    return started, ended
