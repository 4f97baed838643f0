"""The tasks at a run's end that exchange results with DQOps: what loads found goes there, what it found comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from goldsmith.errors import GoldsmithError
from goldsmith.publish.airflow.gates import PATIENCE, VERDICT, failure_of
from goldsmith.publish.airflow.operators import Asked, SparkJob
from goldsmith.publish.dqops.client import Client
from goldsmith.publish.dqops.declared import checks_at_home
from goldsmith.publish.dqops.gate import import_verdicts
from goldsmith.publish.dqops.names import IMPORT_CHECK
from goldsmith.publish.dqops.running import cancel


class ImportVerdicts(BaseOperator):
    """Has DQOps read the verdicts of a pipeline's loads, one table after the other.

    gates: the tables with a gate, and its task. A gate that was decided has read them already, after it forgot the
    day's results; where a load failed or a gate was not decided they are read here.
    """

    def __init__(
        self,
        *,
        tables: Sequence[str],
        gates: Mapping[str, str],
        known: Sequence[str],
        cron: str | None,
        project: str,
        patience: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tables = tuple(tables)
        self.gates = dict(gates)
        self.known = tuple(known)
        self.cron = cron
        self.project = project
        self.patience = PATIENCE if patience is None else patience
        self._key: str | None = None

    def execute(self, context: Any) -> None:
        chosen = Asked(self.known, self.cron).of(context).chosen(self.tables)
        try:
            client = Client.from_environment()
            wanted = [name for name in chosen if IMPORT_CHECK in checks_at_home(Path(self.project), name)]
        except GoldsmithError as error:
            raise failure_of(error) from None
        done = [name for name in wanted if name in self.gates and self._decided(context, name)]
        if done:
            self.log.info("Read by their gates: %s", ", ".join(done))
        if len(done) == len(wanted):
            raise AirflowSkipException("There is nothing more to import.")
        failed: list[GoldsmithError] = []
        for name in wanted:
            if name in done:
                continue
            try:
                severity = import_verdicts(
                    client, name, timeout=self.patience.total_seconds(), announce=self._announced
                )
            except GoldsmithError as error:
                # The other tables can be read all the same.
                self.log.warning("%s", error)
                failed.append(error)
            else:
                self.log.info("%s: the gravest of what its loads found is %s", name, severity)
        if failed:
            raise failure_of(next((error for error in failed if error.retryable), failed[0]))

    def _announced(self, key: str) -> None:
        self._key = key

    def on_kill(self) -> None:
        if self._key is not None:
            cancel(Client.from_environment(), self._key)

    def _decided(self, context: Any, table: str) -> bool:
        return context["ti"].xcom_pull(task_ids=self.gates[table], key=VERDICT) is not None


class CollectResults(SparkJob):
    """Brings what DQOps' checks found into `ops.dqops_results`, by `spark-submit jobs/collect.py`."""

    def execute(self, context: Any) -> None:
        self.submit(context, ())
