"""A run of a table's checks on the server: start it, wait for its end, cancel it on errors.

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
from goldsmith.publish.dqops import endpoints
from goldsmith.publish.dqops.client import (
    CREATED,
    NOT_FOUND,
    OK,
    ApiRequest,
    ApiResponse,
    DqopsClient,
    response_error,
)
from goldsmith.publish.dqops.verdict import Progress, Started, progress, today

PAUSE = 2.0
"""Seconds between two polls of a job."""

GRACE_PERIOD = 120.0
"""How long to wait for a server that does not respond or returns server errors, in seconds."""

OnStart = Callable[[str], None]
"""Called with a run's key before the first request of the run, so that another thread can `cancel` it."""


def cancel(client: DqopsClient, key: str) -> None:
    """Cancels the jobs of a run. Best effort: a server that does not respond is ignored."""
    for name in (_delete_job(key), key):
        client.try_call(endpoints.cancel(name))


def start_run(
    client: DqopsClient,
    table: str,
    *,
    declared: int,
    limit: Severity,
    check: str | None = None,
    on_start: OnStart | None = None,
) -> Started:
    """Deletes the day's results of a table and starts its checks. check: only this one; None for all.

    Raises NotReady GS701 if the server does not respond, RunError GS702 if it refuses.
    """
    started = Started(table, f"goldsmith-{table}-{uuid.uuid4().hex}", today(), declared, limit)
    if on_start is not None:
        on_start(started.key)
    deletion = endpoints.delete_results(table, started.day, _delete_job(started.key), check)
    with _cancel_on_error(client, _delete_job(started.key)):
        answer = client.call(deletion)
        body = answer.body if isinstance(answer.body, dict) else {}
        # After the time limit the server returns 201 with an empty body, and continues.
        if answer.status not in (OK, CREATED) or body.get("status") != "finished":
            raise response_error(deletion, answer)
    with _cancel_on_error(client, started.key):
        _start_checks(client, started, check)
    return started


def _start_checks(client: DqopsClient, started: Started, check: str | None) -> None:
    request = endpoints.start(started.table, started.key, check)
    try:
        answer = client.call(request)
    except GoldsmithError:
        # The connection was lost: ask the server whether it accepted the request.
        if client.call(endpoints.job(started.key)).status == OK:
            return
        raise
    if answer.status not in (OK, CREATED) or not isinstance(answer.body, dict):
        raise response_error(request, answer)


def _delete_job(key: str) -> str:
    return f"{key}-forget"


@contextmanager
def _cancel_on_error(client: DqopsClient, key: str) -> Iterator[None]:
    """Cancels a job if the block fails or is interrupted."""
    try:
        yield
    except BaseException:
        client.try_call(endpoints.cancel(key))
        raise


@dataclass
class JobWatch:
    """Interprets successive polls of a job. timeout: seconds for the job. grace: seconds without a response.

    clock: a monotonic clock, in seconds.
    """

    started: Started
    timeout: float
    grace: float = GRACE_PERIOD
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)
    silent_since: float | None = None

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def request(self) -> ApiRequest:
        return endpoints.job(self.started.key)

    def read(self, answer: ApiResponse | GoldsmithError) -> Progress | None:
        """The end of the job, or None while it is in progress.

        Raises RunError GS703 after the time limit; GS702, or the error itself, if the server has not responded for
        the grace period.
        """
        now = self.clock()
        error: GoldsmithError | None = None
        if isinstance(answer, GoldsmithError):
            error = answer
        elif answer.status == NOT_FOUND:
            return Progress("lost")
        elif answer.status != OK:
            error = response_error(self.request, answer)
        else:
            try:
                found = progress(answer.body)
            except ValueError:
                error = response_error(self.request, answer)
            else:
                self.silent_since = None
                if found.state != "running":
                    return found
        if error is not None:
            self.silent_since = now if self.silent_since is None else self.silent_since
            if not error.retryable or now - self.silent_since >= self.grace:
                raise error
        if now - self.began >= self.timeout:
            raise RunError(
                "GS703",
                f"DQOps' checks of `{self.started.table}` have not ended after {self.timeout:g} s.",
                where=Where(table=self.started.table),
                hint="Check its jobs in the console: its free licence runs one job at a time.",
                retryable=True,
            )
        return None


def wait(client: DqopsClient, watch: JobWatch, pause: float = PAUSE) -> Progress:
    """Waits for the end of a job and cancels it on any error or interrupt. Raises as `JobWatch.read`."""
    with _cancel_on_error(client, watch.started.key):
        while (found := watch.read(client.try_call(watch.request))) is None:
            time.sleep(pause)
    return found


async def wait_async(client: DqopsClient, watch: JobWatch, pause: float = PAUSE) -> Progress:
    """Waits for the end of a job without blocking the event loop. Raises as `JobWatch.read` and then cancels the job.

    Cancelling this coroutine does not cancel the job: another process continues to wait for it.
    """
    try:
        while (found := watch.read(await asyncio.to_thread(client.try_call, watch.request))) is None:
            await asyncio.sleep(pause)
    except GoldsmithError:
        await asyncio.to_thread(client.try_call, endpoints.cancel(watch.started.key))
        raise
    return found
