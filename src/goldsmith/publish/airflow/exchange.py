"""The last tasks of a run: import the loads' verdicts into DQOps, and collect DQOps' results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from goldsmith.errors import GoldsmithError
from goldsmith.publish.airflow.gates import TIME_LIMIT, VERDICT, task_exception
from goldsmith.publish.airflow.operators import RequestReader, SparkJob
from goldsmith.publish.dqops.client import DqopsClient
from goldsmith.publish.dqops.declared import checks_in_home
from goldsmith.publish.dqops.gate import import_verdicts
from goldsmith.publish.dqops.names import IMPORT_CHECK
from goldsmith.publish.dqops.running import cancel


class ImportVerdicts(BaseOperator):
    """Makes DQOps import the verdicts of a pipeline's loads, one table after the other.

    gates: the gate task by table. A gate that reached a verdict has imported them already, after it deleted the day's
    results. If a load failed or a gate has no verdict, this task imports them.
    """

    def __init__(
        self,
        *,
        tables: Sequence[str],
        gates: Mapping[str, str],
        known: Sequence[str],
        cron: str | None,
        project: str,
        time_limit: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tables = tuple(tables)
        self.gates = dict(gates)
        self.known = tuple(known)
        self.cron = cron
        self.project = project
        self.time_limit = TIME_LIMIT if time_limit is None else time_limit
        self._key: str | None = None

    def execute(self, context: Any) -> None:
        chosen = RequestReader(self.known, self.cron).read(context).chosen(self.tables)
        try:
            client = DqopsClient.from_environment()
            wanted = [name for name in chosen if IMPORT_CHECK in checks_in_home(Path(self.project), name)]
        except GoldsmithError as error:
            raise task_exception(error) from None
        done = [name for name in wanted if name in self.gates and self._has_verdict(context, name)]
        if done:
            self.log.info("Already imported by their gates: %s", ", ".join(done))
        if len(done) == len(wanted):
            raise AirflowSkipException("Nothing to import.")
        failed: list[GoldsmithError] = []
        for name in wanted:
            if name in done:
                continue
            try:
                severity = import_verdicts(
                    client, name, timeout=self.time_limit.total_seconds(), on_start=self._remember_job
                )
            except GoldsmithError as error:
                # Continue with the other tables.
                self.log.warning("%s", error)
                failed.append(error)
            else:
                self.log.info("%s: imported verdicts, highest severity %s", name, severity)
        if failed:
            raise task_exception(next((error for error in failed if error.retryable), failed[0]))

    def _remember_job(self, key: str) -> None:
        self._key = key

    def on_kill(self) -> None:
        if self._key is not None:
            cancel(DqopsClient.from_environment(), self._key)

    def _has_verdict(self, context: Any, table: str) -> bool:
        return context["ti"].xcom_pull(task_ids=self.gates[table], key=VERDICT) is not None


class CollectResults(SparkJob):
    """Merges DQOps' check results into `ops.dqops_results`, by `spark-submit jobs/collect.py`."""

    def execute(self, context: Any) -> None:
        self.submit(context, ())
