"""Warns and gives up if a standalone master grants no executors; Spark itself waits silently without a limit."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from goldsmith.engine.failures import NO_EXECUTOR
from goldsmith.engine.launch.master_page import waiting_reason

log = logging.getLogger(__name__)

WARN_AFTER = 15.0
"""Seconds without an executor after which a warning is logged."""

_PAUSE = 1.0


def watch_executors(spark: SparkSession, timeout: timedelta) -> None:
    """Watches for the first executor of a standalone master, in the background.

    Logs a warning after some seconds without an executor. Cancels the session's jobs after the time-out; they fail
    with GS909.
    """
    context: Any = spark.sparkContext._jsc.sc()
    master = spark.sparkContext.master or ""
    conf = context.conf()
    if not master.startswith("spark://") or conf.getBoolean("spark.dynamicAllocation.enabled", False):
        return
    cores, memory = conf.get("spark.executor.cores", "all"), conf.get("spark.executor.memory", "1g")
    requested = f"{cores} cores and {memory} of memory on one worker"
    watching = (context, master, requested, timeout.total_seconds())
    threading.Thread(target=_watch, args=watching, name="executors", daemon=True).start()


def _watch(context: Any, master: str, requested: str, timeout: float) -> None:
    began, warned = time.monotonic(), False
    try:
        while not context.isStopped() and not context.getExecutorIds().size():
            waited = time.monotonic() - began
            if waited >= WARN_AFTER and not warned:
                warned = True
                log.warning(
                    "The application has had no executor for %.0f s: %s. Its jobs are cancelled after %.0f s.",
                    WARN_AFTER,
                    waiting_reason(master, str(context.applicationId()), requested),
                    timeout,
                )
            if waited >= timeout:
                for job in context.statusTracker().getActiveJobIds():
                    context.cancelJob(job, NO_EXECUTOR)
            time.sleep(_PAUSE)
    except Py4JError:
        # The session's JVM has ended.
        return
