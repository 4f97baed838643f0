"""The spark-submit hook of Goldsmith's tasks: a readable log, a safe end of the process, an explicit master."""

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
from goldsmith.publish.airflow.job_log import JobLog

_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


class JobHook(SparkSubmitHook):
    """Starts an application and logs its output first, and then the JVM log as a folded group.

    on_application: called with the application's id when the job prints it.
    """

    def __init__(
        self, *args: Any, on_application: Callable[[str], None] | None = None, **kwargs: Any
    ) -> None:
        self.job_log = JobLog(on_application)
        super().__init__(*args, **kwargs)

    @property
    def exit_code(self) -> int | None:
        """The exit code of spark-submit; None before its end."""
        return None if self._submit_sp is None else self._submit_sp.poll()

    @property
    def master(self) -> str:
        """The Spark master of the connection."""
        return str(self._connection["master"])

    def log_jvm_lines(self) -> None:
        """Logs the JVM's lines as a folded group."""
        if not len(self.job_log):
            return
        self.log.info("::group::Spark's log (%d lines)", len(self.job_log) + self.job_log.dropped)
        if self.job_log.dropped:
            self.log.info("... %d earlier lines", self.job_log.dropped)
        for line in self.job_log:
            self.log.info("%s", line)
        self.log.info("::endgroup::")

    def _resolve_connection(self) -> dict[str, Any]:
        # Without the connection the provider would use YARN.
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
        for line in self.job_log.own_lines(itr):
            self.log.info("%s", line)


def die_with_supervisor() -> None:
    """Makes the kernel kill this task's process, and so its application, when its supervisor dies.

    Otherwise a task whose supervisor was killed would run concurrently with its own retry. Linux only.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_DIES_WITH_PARENT, signal.SIGKILL, 0, 0, 0)


def environment() -> dict[str, str]:
    """The environment of a job's process: the task's, with settings for its output."""
    return {**os.environ, "COLUMNS": "120", "PYTHONUNBUFFERED": "1"}
