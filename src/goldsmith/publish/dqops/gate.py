"""The gate: a table's checks run by DQOps, and a verdict that can be trusted.

`begin`, then `follow` or `followed`, then `decide`. Each may happen in another process, and all of it may be done
again: a new try forgets what a former one stored, since the server judges a value only once a day.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from goldsmith.errors import GoldsmithError, RunError, Where
from goldsmith.project.models import Severity
from goldsmith.publish.dqops import client as calls
from goldsmith.publish.dqops.client import Answer, Client, Request, refused
from goldsmith.publish.dqops.names import IMPORT_CHECK
from goldsmith.publish.dqops.verdict import (
    SEVERITIES,
    Progress,
    Started,
    Verdict,
    complete,
    failures_in,
    graver,
    progress,
    today,
    with_values,
)

PAUSE = 2.0
"""Seconds between two polls of a job."""

GRACE = 120.0
"""Seconds for which a server that does not answer, or answers with its own fault, is waited for."""

TRIES = 2
"""How often a run is begun where the server forgets the job, as after a restart."""


def begin(client: Client, table: str, *, declared: int, limit: Severity, check: str | None = None) -> Started:
    """Forgets the day's results of a table and starts its checks. check: the one that is meant; None for all.

    Raises NotReady GS701 where the server does not answer, RunError GS702 where it refuses.
    """
    started = Started(table, f"goldsmith-{table}-{uuid.uuid4().hex}", today(), declared, limit)
    forgetting = calls.forget(table, started.day, check)
    answer = client.call(forgetting)
    body = answer.body if isinstance(answer.body, dict) else {}
    # Past its own limit the server answers 201 with nothing in it, and goes on.
    if answer.status not in (calls.OK, calls.CREATED) or body.get("status") != "finished":
        raise refused(forgetting, answer)
    starting = calls.start(table, started.key, check)
    try:
        answer = client.call(starting)
    except GoldsmithError:
        # The connection was lost in between: the server may have taken the call or not, and it knows which.
        if client.call(calls.job(started.key)).status == calls.OK:
            return started
        raise
    if answer.status not in (calls.OK, calls.CREATED) or not isinstance(answer.body, dict):
        raise refused(starting, answer)
    return started


@dataclass
class Watch:
    """What successive answers to a poll mean. timeout: seconds for the job; grace: for a server without an answer.

    clock: seconds that only grow.
    """

    started: Started
    timeout: float
    grace: float = GRACE
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)
    silent_since: float | None = None

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def request(self) -> Request:
        return calls.job(self.started.key)

    def read(self, answer: Answer | GoldsmithError) -> Progress | None:
        """The end of the job, or None while it is under way.

        Raises RunError GS703 where it takes too long; GS702, or the error itself, where the server has not answered
        for the time of grace.
        """
        now = self.clock()
        trouble: GoldsmithError | None = None
        if isinstance(answer, GoldsmithError):
            trouble = answer
        elif answer.status == calls.NOT_FOUND:
            return Progress("lost")
        elif answer.status != calls.OK:
            trouble = refused(self.request, answer)
        else:
            try:
                found = progress(answer.body)
            except ValueError:
                trouble = refused(self.request, answer)
            else:
                self.silent_since = None
                if found.state != "running":
                    return found
        if trouble is not None:
            self.silent_since = now if self.silent_since is None else self.silent_since
            if not trouble.retryable or now - self.silent_since >= self.grace:
                raise trouble
        if now - self.began >= self.timeout:
            raise RunError(
                "GS703",
                f"DQOps' checks of `{self.started.table}` have not ended after {self.timeout:g} s.",
                where=Where(table=self.started.table),
                hint="Its free licence runs one job at a time: see in the console what it is doing.",
                retryable=True,
            )
        return None


def _asked(client: Client, request: Request) -> Answer | GoldsmithError:
    try:
        return client.call(request)
    except GoldsmithError as error:
        return error


def follow(client: Client, watch: Watch, pause: float = PAUSE) -> Progress:
    """Waits for the end of a job. Raises as `Watch.read`."""
    while (found := watch.read(_asked(client, watch.request))) is None:
        time.sleep(pause)
    return found


async def followed(client: Client, watch: Watch, pause: float = PAUSE) -> Progress:
    """Waits for the end of a job without holding the event loop. Raises as `Watch.read`."""
    while (found := watch.read(await asyncio.to_thread(_asked, client, watch.request))) is None:
        await asyncio.sleep(pause)
    return found


def decide(client: Client, started: Started, ended: Progress) -> Verdict:
    """The verdict on a run that ended.

    The gravest of the run's own result and of the latest of each check counts: a value that the server had judged
    already on that day is missing from the run's result. Raises RunError GS704 where the run says nothing, GS702
    and NotReady GS701 where the server does not tell.
    """
    link = calls.console_link(client.console, started.table)
    complete(started, ended, link)
    asking = calls.status(started.table, started.since)
    answer = client.call(asking)
    try:
        failures = failures_in(answer.body) if answer.status == calls.OK else None
    except ValueError:
        failures = None
    if failures is None:
        raise refused(asking, answer)
    executed = int(ended.summary.get("executed_checks") or 0)
    notes: list[str] = []
    if executed > started.declared:
        notes.append(f"{executed - started.declared} more checks ran than the user home declares here.")
    if failures:
        told = _asked(client, calls.results(started.table, started.day))
        if isinstance(told, Answer) and told.status == calls.OK:
            failures = with_values(failures, told.body, started.day)
        else:
            notes.append("What the checks measured could not be read; the console has it.")
    said = str(ended.summary.get("highest_severity") or "valid")
    severity = graver(said if said in SEVERITIES else "fatal", *(failure.severity for failure in failures))
    passed = SEVERITIES.index(severity) < SEVERITIES.index(started.limit)
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
    )


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
    client: Client, table: str, *, timeout: float, pause: float = PAUSE, grace: float = GRACE
) -> str:
    """Brings what a table's loads found into the console and gives the gravest severity of it.

    The day's other results of the table stay. Raises as `begin`, `Watch.read` and `complete`.
    """
    started, ended = _ended(
        client,
        lambda: begin(client, table, declared=1, limit="fatal", check=IMPORT_CHECK),
        timeout,
        pause,
        grace,
    )
    complete(started, ended, calls.console_link(client.console, table))
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
