"""The gate task: runs DQOps' checks of one table and stops downstream tasks if they fail."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator, BaseOperatorLink
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from goldsmith.errors import GateStopped, GoldsmithError
from goldsmith.project.models import Severity
from goldsmith.publish.airflow.assets import asset_of
from goldsmith.publish.airflow.operators import LOADED, RequestReader
from goldsmith.publish.airflow.triggers import ChecksEnded
from goldsmith.publish.dqops.client import DqopsClient
from goldsmith.publish.dqops.declared import declared_checks
from goldsmith.publish.dqops.endpoints import console_link
from goldsmith.publish.dqops.gate import MAX_STARTS, decide
from goldsmith.publish.dqops.running import cancel, start_run
from goldsmith.publish.dqops.verdict import GateVerdict, Progress, Started

TIME_LIMIT = timedelta(minutes=30)
"""The default time limit of a table's checks, including the jobs that the server runs before them."""

VERDICT = "verdict"
"""The XCom key of a gate's verdict, also of one that stops."""


def configured(environment: Mapping[str, str] | None = None) -> bool:
    """Whether DQOPS_URL names a DQOps server. Without one no DAG has gates."""
    return bool((os.environ if environment is None else environment).get("DQOPS_URL"))


class ConsoleLink(BaseOperatorLink):
    """Link to the table in DQOps' console."""

    name = "DQOps"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        return console_link(DqopsClient.from_environment().console, operator.table)


class GateTable(BaseOperator):
    """Runs DQOps' checks of a table and fails if a result reaches the severity `limit`.

    limit: the severity that stops. after: the task that loads the table; its counts go into the asset event.
    time_limit: for the checks, per attempt: each attempt deletes the results of the previous one.
    The task is deferred while the server works, and uses no worker.
    """

    operator_extra_links = (ConsoleLink(),)

    def __init__(
        self,
        *,
        table: str,
        limit: Severity,
        after: str,
        known: Sequence[str],
        cron: str | None,
        project: str,
        time_limit: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(outlets=[asset_of(table)], **kwargs)
        self.table = table
        self.limit = limit
        self.after = after
        self.known = tuple(known)
        self.cron = cron
        self.project = project
        self.time_limit = TIME_LIMIT if time_limit is None else time_limit
        self._key: str | None = None

    def execute(self, context: Any) -> None:
        if not RequestReader(self.known, self.cron).read(context).chosen((self.table,)):
            raise AirflowSkipException("The run does not include this table.")
        self._start_checks(MAX_STARTS - 1)

    def _start_checks(self, restarts_left: int) -> None:
        try:
            client = DqopsClient.from_environment()
            declared = declared_checks(Path(self.project), self.table)
            started = start_run(
                client, self.table, declared=declared, limit=self.limit, on_start=self._remember_job
            )
        except GoldsmithError as error:
            raise task_exception(error) from None
        self.log.info("DQOps runs the %d checks of %s; today's results were deleted", declared, self.table)
        trigger = ChecksEnded(
            started=started.as_dict(),
            url=client.url,
            since=time.time(),
            time_limit=self.time_limit.total_seconds(),
            restarts_left=restarts_left,
        )
        self.defer(trigger=trigger, method_name="decide")

    def _remember_job(self, key: str) -> None:
        self._key = key

    def on_kill(self) -> None:
        """Cancels the job that this worker started. While the task is deferred, its trigger does this."""
        if self._key is not None:
            cancel(DqopsClient.from_environment(), self._key)

    def decide(self, context: Any, event: Mapping[str, Any]) -> None:
        """Continues after the checks have ended. Raises AirflowFailException if they stop the table."""
        if "error" in event:
            raise task_exception(GoldsmithError(**event["error"]))
        ended = Progress.from_dict(event["ended"])
        if ended.state == "lost" and event["restarts_left"]:
            self.log.warning("DQOps has lost the job, probably after a restart; starting it again")
            self._start_checks(event["restarts_left"] - 1)
        try:
            verdict = decide(DqopsClient.from_environment(), Started.from_dict(event["started"]), ended)
        except GoldsmithError as error:
            raise task_exception(error) from None
        log_verdict(self.log, verdict)
        context["ti"].xcom_push(key=VERDICT, value=asdict(verdict))
        try:
            verdict.require()
        except GateStopped as error:
            raise task_exception(error) from None
        self._set_event(context, verdict)

    def _set_event(self, context: Any, verdict: GateVerdict) -> None:
        """Sets the table's asset event: the load's counts and the result of the checks."""
        loaded = context["ti"].xcom_pull(task_ids=self.after, key=LOADED) or {}
        event = context["outlet_events"][asset_of(self.table)]
        event.extra = {**loaded.get(self.table, {}), "dqops": event_summary(verdict)}
        reader = RequestReader(self.known, self.cron)
        key = reader.partition_key(context, reader.read(context))
        if key is not None:
            event.add_partitions(key)


def event_summary(verdict: GateVerdict) -> dict[str, Any]:
    """A verdict as the content of an asset event."""
    return {
        "severity": verdict.severity,
        "checks": verdict.executed,
        "failed": [str(failure) for failure in verdict.failures],
        "link": verdict.link,
    }


def log_verdict(log: logging.Logger, verdict: GateVerdict) -> None:
    """Logs a verdict: a warning if it passed with failed checks, an error if it stops."""
    level = logging.INFO if verdict.passed else logging.ERROR
    if verdict.passed and (verdict.failures or verdict.notes):
        level = logging.WARNING
    for line in verdict.lines:
        log.log(level, "%s", line)


def task_exception(error: GoldsmithError) -> AirflowException:
    """The exception for a task: one that allows a retry only if the error is retryable."""
    kind = AirflowException if error.retryable else AirflowFailException
    return kind(f"{error.code} {error.message} {error.hint or ''}".strip())
