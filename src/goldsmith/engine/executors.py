"""Whether a standalone master gives a job its executors: Spark itself waits for them without end and without a word."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from goldsmith.errors import NotReady

log = logging.getLogger(__name__)

TOLD_AFTER = 15.0
"""Seconds without an executor after which it is told."""

_PAUSE = 1.0
_ENDED = "cancelled as part of cancellation of all jobs"


def watch_executors(spark: SparkSession, patience: timedelta) -> None:
    """Tells where a standalone master has given no executor after some seconds, and ends the session's jobs that
    still wait for one after `patience`. They fail with what `no_executor` knows. Returns at once."""
    context: Any = spark.sparkContext._jsc.sc()
    master = spark.sparkContext.master or ""
    if master.startswith("spark://") and not context.conf().getBoolean(
        "spark.dynamicAllocation.enabled", False
    ):
        wanted = {
            name: context.conf().get(f"spark.executor.{name}", default)
            for name, default in (("cores", "all"), ("memory", "1g"))
        }
        asked = f"{wanted['cores']} cores and {wanted['memory']} of memory on one worker"
        watching = (context, master, asked, patience.total_seconds())
        threading.Thread(target=_watch, args=watching, name="executors", daemon=True).start()


def no_executor(message: str) -> NotReady | None:
    """The error behind Spark's message on a job that `watch_executors` ended; None for any other message."""
    if _ENDED not in message:
        return None
    return NotReady(
        "GS909",
        "The Spark master gave this job no executor, and its jobs were ended.",
        hint="See on the master's page what holds its cores, and whether a worker has as many as `spark.executor.cores`"
        " asks for; the profile's `spark.wait_for_cores` says how long a job waits.",
        retryable=True,
    )


def _watch(context: Any, master: str, asked: str, patience: float) -> None:
    began, told = time.monotonic(), False
    try:
        while not context.isStopped() and not context.getExecutorIds().size():
            waited = time.monotonic() - began
            if waited >= TOLD_AFTER and not told:
                told = True
                log.warning(
                    "%s has given no executor in %.0f s: it waits for %s, and ends after %.0f s.",
                    master,
                    waited,
                    asked,
                    patience,
                )
            if waited >= patience:
                context.cancelAllJobs()
            time.sleep(_PAUSE)
    except Py4JError:
        # The session's JVM ended, and the wait with it.
        return
