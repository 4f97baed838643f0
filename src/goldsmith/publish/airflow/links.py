"""Buttons of a task in Airflow: Spark's pages and the report, if the environment has their addresses."""

from __future__ import annotations

import os
from typing import Any

from airflow.sdk import BaseOperatorLink

APPLICATION_LINK = "_link_SparkLink"
"""The XCom key of the address of a task's button Spark."""

_SPARK, _HISTORY, _REPORT = "GOLDSMITH_SPARK_UI", "GOLDSMITH_SPARK_HISTORY", "GOLDSMITH_REPORT_URL"


def application_page(application: str) -> str | None:
    """The address of an application's page on the master; None without GOLDSMITH_SPARK_UI."""
    page = os.environ.get(_SPARK)
    return f"{page.rstrip('/')}/app/?appId={application}" if page else None


def history_page(application: str) -> str | None:
    """The address of a finished application's page on the history server; None without GOLDSMITH_SPARK_HISTORY."""
    page = os.environ.get(_HISTORY)
    return f"{page.rstrip('/')}/history/{application}/" if page else None


class SparkLink(BaseOperatorLink):
    """Link to a finished application on the history server, else on the master; without one, to their start pages."""

    name = "Spark"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        application = getattr(operator, "spark_application", None)
        if application:
            return history_page(application) or application_page(application) or ""
        return os.environ.get(_SPARK) or os.environ.get(_HISTORY) or ""


class ReportLink(BaseOperatorLink):
    """Link to Goldsmith's report."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        return os.environ.get(_REPORT, "")


LINKS: tuple[BaseOperatorLink, ...] = (
    *((SparkLink(),) if os.environ.get(_SPARK) or os.environ.get(_HISTORY) else ()),
    *((ReportLink(),) if os.environ.get(_REPORT) else ()),
)
"""The buttons that have an address in this environment."""
