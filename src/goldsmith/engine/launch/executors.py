"""Whether a standalone master gives a job its executors: Spark itself waits for them without end and without a word."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from goldsmith.engine.failures import NO_EXECUTOR
from goldsmith.engine.launch.master_page import waits_for

log = logging.getLogger(__name__)

TOLD_AFTER = 15.0
"""Seconds without an executor after which it is told."""

_PAUSE = 1.0


def watch_executors(spark: SparkSession, patience: timedelta) -> None:
    """Tells where a standalone master has given no executor after some seconds, and ends the session's jobs that
    still wait for one after `patience`. They fail with GS909. Returns at once."""
    context: Any = spark.sparkContext._jsc.sc()
    master = spark.sparkContext.master or ""
    conf = context.conf()
    if not master.startswith("spark://") or conf.getBoolean("spark.dynamicAllocation.enabled", False):
        return
    cores, memory = conf.get("spark.executor.cores", "all"), conf.get("spark.executor.memory", "1g")
    asked = f"{cores} cores and {memory} of memory on one worker"
    watching = (context, master, asked, patience.total_seconds())
    threading.Thread(target=_watch, args=watching, name="executors", daemon=True).start()


def _watch(context: Any, master: str, asked: str, patience: float) -> None:
    began, told = time.monotonic(), False
    try:
        while not context.isStopped() and not context.getExecutorIds().size():
            waited = time.monotonic() - began
            if waited >= TOLD_AFTER and not told:
                told = True
                log.warning(
                    "The application has had no executor for %.0f s: %s. It waits, and ends after %.0f s.",
                    TOLD_AFTER,
                    waits_for(master, str(context.applicationId()), asked),
                    patience,
                )
            if waited >= patience:
                for job in context.statusTracker().getActiveJobIds():
                    context.cancelJob(job, NO_EXECUTOR)
            time.sleep(_PAUSE)
    except Py4JError:
        # The session's JVM ended, and the wait with it.
        return
