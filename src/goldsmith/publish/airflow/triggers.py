"""What waits for DQOps' checks without holding a worker: it runs in Airflow's triggerer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from goldsmith.errors import GoldsmithError
from goldsmith.publish.dqops.client import Client
from goldsmith.publish.dqops.running import Watch, cancel, followed
from goldsmith.publish.dqops.verdict import Started


class ChecksEnded(BaseTrigger):
    """Fires when a run of checks has ended, or cannot be followed any more.

    started: the run, as `Started.as_dict` tells it. url: of the server. since: when it was begun, in seconds since
    the epoch; patience: the seconds it may take from then on, whether the triggerer starts again or not. left: how
    often the run may be begun anew where the server forgets it.

    Its event holds `started` and `left` as they are, and `ended`, as `Progress.as_dict` tells it, or `error`.
    """

    def __init__(
        self, *, started: Mapping[str, Any], url: str, since: float, patience: float, left: int
    ) -> None:
        super().__init__()
        self.started = dict(started)
        self.url = url
        self.since = since
        self.patience = patience
        self.left = left

    def serialize(self) -> tuple[str, dict[str, Any]]:
        kept = {
            "started": self.started,
            "url": self.url,
            "since": self.since,
            "patience": self.patience,
            "left": self.left,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", kept

    async def run(self) -> AsyncIterator[TriggerEvent]:
        client = Client(self.url, self.url)
        watch = Watch(Started.from_dict(self.started), timeout=self.patience)
        watch.began -= time.time() - self.since
        told: dict[str, Any] = {"started": self.started, "left": self.left}
        try:
            ended = await followed(client, watch)
        except GoldsmithError as error:
            told["error"] = {
                "code": error.code,
                "message": error.message,
                "hint": error.hint,
                "retryable": error.retryable,
            }
        else:
            told["ended"] = ended.as_dict()
        yield TriggerEvent(told)

    async def on_kill(self) -> None:
        """Cancels the job when a user fails, clears or marks the task; not called when the triggerer shuts down."""
        key = Started.from_dict(self.started).key
        await asyncio.to_thread(cancel, Client(self.url, self.url), key)
