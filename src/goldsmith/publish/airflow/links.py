"""Buttons of a task in Airflow's pages: Spark's own page and the report, where the environment says where they are."""

from __future__ import annotations

import os
from typing import Any

from airflow.sdk import BaseOperatorLink

_SPARK, _REPORT = "GOLDSMITH_SPARK_UI", "GOLDSMITH_REPORT_URL"


class SparkLink(BaseOperatorLink):
    """Spark's page: the master's, or a history server's."""

    name = "Spark"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        return os.environ.get(_SPARK, "")


class ReportLink(BaseOperatorLink):
    """Goldsmith's report."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        return os.environ.get(_REPORT, "")


LINKS: tuple[BaseOperatorLink, ...] = (
    *((SparkLink(),) if os.environ.get(_SPARK) else ()),
    *((ReportLink(),) if os.environ.get(_REPORT) else ()),
)
"""The buttons of this Airflow: one without an address would lead nowhere."""
