"""The trigger that waits for DQOps' checks in Airflow's triggerer, without using a worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from goldsmith.errors import GoldsmithError
from goldsmith.publish.dqops.client import DqopsClient
from goldsmith.publish.dqops.running import JobWatch, cancel, wait_async
from goldsmith.publish.dqops.verdict import Started


class ChecksEnded(BaseTrigger):
    """Fires when a run of checks has ended, or can no longer be polled.

    started: the run, from `Started.as_dict`. url: the server's. since: the start of the run, in seconds since the
    epoch. time_limit: seconds from `since`, also across restarts of the triggerer. restarts_left: how often the run
    may be started again if the server loses it.

    The event contains `started`, `restarts_left`, and either `ended`, from `Progress.as_dict`, or `error`.
    """

    def __init__(
        self, *, started: Mapping[str, Any], url: str, since: float, time_limit: float, restarts_left: int
    ) -> None:
        super().__init__()
        self.started = dict(started)
        self.url = url
        self.since = since
        self.time_limit = time_limit
        self.restarts_left = restarts_left

    def serialize(self) -> tuple[str, dict[str, Any]]:
        arguments = {
            "started": self.started,
            "url": self.url,
            "since": self.since,
            "time_limit": self.time_limit,
            "restarts_left": self.restarts_left,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        client = DqopsClient(self.url, self.url)
        watch = JobWatch(Started.from_dict(self.started), timeout=self.time_limit)
        watch.began -= time.time() - self.since
        payload: dict[str, Any] = {"started": self.started, "restarts_left": self.restarts_left}
        try:
            ended = await wait_async(client, watch)
        except GoldsmithError as error:
            payload["error"] = {
                "code": error.code,
                "message": error.message,
                "hint": error.hint,
                "retryable": error.retryable,
            }
        else:
            payload["ended"] = ended.as_dict()
        yield TriggerEvent(payload)

    async def on_kill(self) -> None:
        """Cancels the job when a user fails, clears or marks the task; not called when the triggerer shuts down."""
        key = Started.from_dict(self.started).key
        await asyncio.to_thread(cancel, DqopsClient(self.url, self.url), key)
