"""A run of a table's checks at the server: begun, followed to its end, cancelled where nobody waits for it any more.

The server runs one job at a time, so a job that was given up would keep the next one waiting.
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
"""Is told the name of a run before anything of it is asked of the server, so that `cancel` can be called by it."""


def cancel(client: Client, key: str) -> None:
    """Cancels what a run has asked of the server. A server that does not answer now has no say in it."""
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
    """Cancels a job where what is done with it fails or is interrupted."""
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
    """Waits for the end of a job, and cancels it where the wait ends before. Raises as `Watch.read`."""
    with _cancelled(client, watch.started.key):
        while (found := watch.read(client.ask(watch.request))) is None:
            time.sleep(pause)
    return found


async def followed(client: Client, watch: Watch, pause: float = PAUSE) -> Progress:
    """Waits for the end of a job without holding the event loop. Raises as `Watch.read`, and cancels the job then.

    One that is cancelled itself leaves the job alone: another process goes on where it was.
    """
    try:
        while (found := watch.read(await asyncio.to_thread(client.ask, watch.request))) is None:
            await asyncio.sleep(pause)
    except GoldsmithError:
        await asyncio.to_thread(client.ask, calls.cancel(watch.started.key))
        raise
    return found
