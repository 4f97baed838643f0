"""Buttons of a task in Airflow's pages: Spark's own page and the report, where the environment says where they are."""

from __future__ import annotations

import os
from typing import Any

from airflow.sdk import BaseOperatorLink

APPLICATION_LINK = "_link_SparkLink"
"""The key under which Airflow keeps the address of a task's button Spark."""

_SPARK, _REPORT = "GOLDSMITH_SPARK_UI", "GOLDSMITH_REPORT_URL"


def application_page(application: str) -> str | None:
    """The address of an application's page; None where the environment names no master's page."""
    page = os.environ.get(_SPARK)
    return f"{page.rstrip('/')}/app/?appId={application}" if page else None


class SparkLink(BaseOperatorLink):
    """The application's page of the Spark master, where the task named its application; else the master's page."""

    name = "Spark"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        application = getattr(operator, "spark_application", None)
        return (application_page(application) if application else os.environ.get(_SPARK)) or ""


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
