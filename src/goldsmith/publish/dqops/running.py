"""A run of a table's checks at the server: started, followed to its end, cancelled when it is given up.

The server runs one job at a time, so an abandoned job would delay the next one.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from goldsmith.errors import GoldsmithError, RunError, Where
from goldsmith.project.models import Severity
from goldsmith.publish.dqops import calls
from goldsmith.publish.dqops.client import CREATED, NOT_FOUND, OK, Answer, Client, Request, refused
from goldsmith.publish.dqops.verdict import Progress, Started, progress, today

PAUSE = 2.0
"""Seconds between two polls of a job."""

GRACE = 120.0
"""Seconds for which a server that does not answer, or answers with its own fault, is waited for."""

Announce = Callable[[str], None]
"""Called with a run's key before the first request of the run, so that another thread can `cancel` it."""


def cancel(client: Client, key: str) -> None:
    """Cancels the jobs of a run. Best effort: a server that does not answer is ignored."""
    for name in (_forgetting(key), key):
        client.ask(calls.cancel(name))


def begin(
    client: Client,
    table: str,
    *,
    declared: int,
    limit: Severity,
    check: str | None = None,
    announce: Announce | None = None,
) -> Started:
    """Forgets the day's results of a table and starts its checks. check: the one that is meant; None for all.

    Raises NotReady GS701 where the server does not answer, RunError GS702 where it refuses.
    """
    started = Started(table, f"goldsmith-{table}-{uuid.uuid4().hex}", today(), declared, limit)
    if announce is not None:
        announce(started.key)
    forgetting = calls.forget(table, started.day, _forgetting(started.key), check)
    with _cancelled(client, _forgetting(started.key)):
        answer = client.call(forgetting)
        body = answer.body if isinstance(answer.body, dict) else {}
        # Past the limit the server answers 201 with nothing in it, and goes on.
        if answer.status not in (OK, CREATED) or body.get("status") != "finished":
            raise refused(forgetting, answer)
    with _cancelled(client, started.key):
        _start(client, started, check)
    return started


def _start(client: Client, started: Started, check: str | None) -> None:
    starting = calls.start(started.table, started.key, check)
    try:
        answer = client.call(starting)
    except GoldsmithError:
        # The connection was lost in between: the server may have taken the call or not, and it knows which.
        if client.call(calls.job(started.key)).status == OK:
            return
        raise
    if answer.status not in (OK, CREATED) or not isinstance(answer.body, dict):
        raise refused(starting, answer)


def _forgetting(key: str) -> str:
    return f"{key}-forget"


@contextmanager
def _cancelled(client: Client, key: str) -> Iterator[None]:
    """Cancels a job if the block fails or is interrupted."""
    try:
        yield
    except BaseException:
        client.ask(calls.cancel(key))
        raise


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
        elif answer.status == NOT_FOUND:
            return Progress("lost")
        elif answer.status != OK:
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


def follow(client: Client, watch: Watch, pause: float = PAUSE) -> Progress:
    """Waits for the end of a job and cancels it on any error or interrupt. Raises as `Watch.read`."""
    with _cancelled(client, watch.started.key):
        while (found := watch.read(client.ask(watch.request))) is None:
            time.sleep(pause)
    return found


async def followed(client: Client, watch: Watch, pause: float = PAUSE) -> Progress:
    """Waits for the end of a job without blocking the event loop. Raises as `Watch.read` and then cancels the job.

    Cancelling this coroutine does not cancel the job: another process continues to follow it.
    """
    try:
        while (found := watch.read(await asyncio.to_thread(client.ask, watch.request))) is None:
            await asyncio.sleep(pause)
    except GoldsmithError:
        await asyncio.to_thread(client.ask, calls.cancel(watch.started.key))
        raise
    return found
