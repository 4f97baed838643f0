"""Buttons of a task in Airflow's pages: Spark's own page and the report."""

from __future__ import annotations

import os
from typing import Any

from airflow.sdk import BaseOperatorLink


class SparkLink(BaseOperatorLink):
    """Spark's page, as GOLDSMITH_SPARK_UI names it: the master's, or a history server's."""

    name = "Spark"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        return os.environ.get("GOLDSMITH_SPARK_UI", "")


class ReportLink(BaseOperatorLink):
    """Goldsmith's report, as GOLDSMITH_REPORT_URL names it."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        return os.environ.get("GOLDSMITH_REPORT_URL", "")


LINKS = (SparkLink(), ReportLink())
