"""Buttons of a task in Airflow's pages: Spark's own pages and the report, where the environment says where they are."""

from __future__ import annotations

import os
from typing import Any

from airflow.sdk import BaseOperatorLink

APPLICATION_LINK = "_link_SparkLink"
"""The key under which Airflow keeps the address of a task's button Spark."""

_SPARK, _HISTORY, _REPORT = "GOLDSMITH_SPARK_UI", "GOLDSMITH_SPARK_HISTORY", "GOLDSMITH_REPORT_URL"


def application_page(application: str) -> str | None:
    """The address of an application's page on the master; None where the environment names no master's page."""
    page = os.environ.get(_SPARK)
    return f"{page.rstrip('/')}/app/?appId={application}" if page else None


def history_page(application: str) -> str | None:
    """The address of an application's page on the history server, which has it from the application's end on."""
    page = os.environ.get(_HISTORY)
    return f"{page.rstrip('/')}/history/{application}/" if page else None


class SparkLink(BaseOperatorLink):
    """The application of a task that has ended, on the history server, else on the master; without one, their pages."""

    name = "Spark"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        application = getattr(operator, "spark_application", None)
        if application:
            return history_page(application) or application_page(application) or ""
        return os.environ.get(_SPARK) or os.environ.get(_HISTORY) or ""


class ReportLink(BaseOperatorLink):
    """Goldsmith's report."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        return os.environ.get(_REPORT, "")


LINKS: tuple[BaseOperatorLink, ...] = (
    *((SparkLink(),) if os.environ.get(_SPARK) or os.environ.get(_HISTORY) else ()),
    *((ReportLink(),) if os.environ.get(_REPORT) else ()),
)
"""The buttons of this Airflow: one without an address would lead nowhere."""
