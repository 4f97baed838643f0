"""spark-submit as Goldsmith's tasks use it: a readable log, an end that is certain, no guess at the master."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
from airflow.sdk.exceptions import AirflowNotFoundException

from goldsmith.errors import NotReady
from goldsmith.publish.airflow.chatter import Chatter

_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


class JobHook(SparkSubmitHook):
    """Starts an application and writes its log: what it says first, the JVM's chatter folded behind it.

    named: called with the application's id when the job prints it.
    """

    def __init__(self, *args: Any, named: Callable[[str], None] | None = None, **kwargs: Any) -> None:
        self.chatter = Chatter(named)
        super().__init__(*args, **kwargs)

    @property
    def exit_code(self) -> int | None:
        """Of spark-submit; None while it runs and before."""
        return None if self._submit_sp is None else self._submit_sp.poll()

    @property
    def master(self) -> str:
        """The Spark master of the connection."""
        return str(self._connection["master"])

    def tell_chatter(self) -> None:
        """Writes what was kept of the JVM's lines, as a group that the log folds."""
        if not len(self.chatter):
            return
        self.log.info("::group::Spark's log (%d lines)", len(self.chatter) + self.chatter.dropped)
        if self.chatter.dropped:
            self.log.info("... %d earlier lines", self.chatter.dropped)
        for line in self.chatter:
            self.log.info("%s", line)
        self.log.info("::endgroup::")

    def _resolve_connection(self) -> dict[str, Any]:
        # The provider would go on with YARN.
        try:
            self.get_connection(self._conn_id)
        except AirflowNotFoundException:
            variable = f"AIRFLOW_CONN_{self._conn_id.upper()}"
            raise NotReady(
                "GS908",
                f"There is no Airflow connection `{self._conn_id}`, which names the Spark master.",
                hint=f'Set {variable}, as in {{"conn_type": "spark", "host": "spark://spark-master:7077"}}.',
            ) from None
        resolved: dict[str, Any] = super()._resolve_connection()
        return resolved

    def _process_spark_submit_log(self, itr: Iterator[Any]) -> None:
        if self._connection.get("deploy_mode") == "cluster":
            super()._process_spark_submit_log(itr)
            return
        for line in self.chatter.sift(itr):
            self.log.info("%s", line)


def die_with_supervisor() -> None:
    """Has the kernel kill this task's process when its supervisor dies; the application follows it.

    Without this a task whose supervisor was killed would go on beside its own retry. Linux alone knows it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_DIES_WITH_PARENT, signal.SIGKILL, 0, 0, 0)


def environment() -> dict[str, str]:
    """What a job's process sees beside what the task's sees."""
    return {**os.environ, "COLUMNS": "120", "PYTHONUNBUFFERED": "1"}
