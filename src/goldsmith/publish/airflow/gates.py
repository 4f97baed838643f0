"""The gate as a task: DQOps' checks of one table, which stop what follows its load."""

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
from goldsmith.publish.airflow.operators import LOADED, Asked
from goldsmith.publish.airflow.triggers import ChecksEnded
from goldsmith.publish.dqops.calls import console_link
from goldsmith.publish.dqops.client import Client
from goldsmith.publish.dqops.declared import declared_checks
from goldsmith.publish.dqops.gate import TRIES, decide
from goldsmith.publish.dqops.running import begin, cancel
from goldsmith.publish.dqops.verdict import Progress, Started, Verdict

PATIENCE = timedelta(minutes=30)
"""How long a table's checks may take, with those that the server runs before them, where no timeout is declared."""

VERDICT = "verdict"
"""The key under which a gate that was decided leaves its verdict, also where it stops."""


def configured(environment: Mapping[str, str] | None = None) -> bool:
    """Whether there is a DQOps server: DQOPS_URL says where. Without one no DAG has gates."""
    return bool((os.environ if environment is None else environment).get("DQOPS_URL"))


class ConsoleLink(BaseOperatorLink):
    """The table in DQOps' console."""

    name = "DQOps"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        return console_link(Client.from_environment().console, operator.table)


class GateTable(BaseOperator):
    """Runs DQOps' checks of a table and fails where a result is as grave as the limit.

    limit: the severity that stops. after: the task that loads the table, whose counts go into the table's event.
    patience: how long the checks may take. It begins anew with each try: what a former one stored is forgotten.
    While the server works no worker is held.
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
        patience: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(outlets=[asset_of(table)], **kwargs)
        self.table = table
        self.limit = limit
        self.after = after
        self.known = tuple(known)
        self.cron = cron
        self.project = project
        self.patience = PATIENCE if patience is None else patience
        self._key: str | None = None

    def execute(self, context: Any) -> None:
        if not Asked(self.known, self.cron).of(context).chosen((self.table,)):
            raise AirflowSkipException("The run was asked for other tables.")
        self._begin(TRIES - 1)

    def _begin(self, left: int) -> None:
        try:
            client = Client.from_environment()
            declared = declared_checks(Path(self.project), self.table)
            started = begin(client, self.table, declared=declared, limit=self.limit, announce=self._announced)
        except GoldsmithError as error:
            raise failure_of(error) from None
        self.log.info("DQOps runs the %d checks of %s; today's results were forgotten", declared, self.table)
        trigger = ChecksEnded(
            started=started.as_dict(),
            url=client.url,
            since=time.time(),
            patience=self.patience.total_seconds(),
            left=left,
        )
        self.defer(trigger=trigger, method_name="decide")

    def _announced(self, key: str) -> None:
        self._key = key

    def on_kill(self) -> None:
        """Cancels the job that this worker started. While the task is deferred its trigger does so."""
        if self._key is not None:
            cancel(Client.from_environment(), self._key)

    def decide(self, context: Any, event: Mapping[str, Any]) -> None:
        """Goes on when the checks have ended. Raises AirflowFailException where they stop the table."""
        if "error" in event:
            raise failure_of(GoldsmithError(**event["error"]))
        ended = Progress.from_dict(event["ended"])
        if ended.state == "lost" and event["left"]:
            self.log.warning("DQOps does not know the run any more, as after a restart: it is begun anew")
            self._begin(event["left"] - 1)
        try:
            verdict = decide(Client.from_environment(), Started.from_dict(event["started"]), ended)
        except GoldsmithError as error:
            raise failure_of(error) from None
        tell(self.log, verdict)
        context["ti"].xcom_push(key=VERDICT, value=asdict(verdict))
        try:
            verdict.require()
        except GateStopped as error:
            raise failure_of(error) from None
        self._announce(context, verdict)

    def _announce(self, context: Any, verdict: Verdict) -> None:
        """The table's event: what its load left, and what the checks say of it."""
        loaded = context["ti"].xcom_pull(task_ids=self.after, key=LOADED) or {}
        event = context["outlet_events"][asset_of(self.table)]
        event.extra = {**loaded.get(self.table, {}), "dqops": summary_of(verdict)}
        asked = Asked(self.known, self.cron)
        key = asked.key(context, asked.of(context))
        if key is not None:
            event.add_partitions(key)


def summary_of(verdict: Verdict) -> dict[str, Any]:
    """A verdict as a table's event has it."""
    return {
        "severity": verdict.severity,
        "checks": verdict.executed,
        "failed": [str(failure) for failure in verdict.failures],
        "link": verdict.link,
    }


def tell(log: logging.Logger, verdict: Verdict) -> None:
    """Writes a verdict: a warning where it passed in spite of failed checks, an error where it stops."""
    level = logging.INFO if verdict.passed else logging.ERROR
    if verdict.passed and (verdict.failures or verdict.notes):
        level = logging.WARNING
    for line in verdict.lines:
        log.log(level, "%s", line)


def failure_of(error: GoldsmithError) -> AirflowException:
    """The exception for a task: one that lets it be tried again only where that can help."""
    kind = AirflowException if error.retryable else AirflowFailException
    return kind(f"{error.code} {error.message} {error.hint or ''}".strip())
