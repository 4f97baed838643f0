"""The button Spark of a task leads to the page of its application."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from goldsmith.publish.airflow.links import SparkLink, application_page

MASTER, HISTORY = "http://127.0.0.1:8080", "http://127.0.0.1:18080/"


def link(application: str | None) -> str:
    operator: Any = SimpleNamespace(spark_application=application)
    return SparkLink().get_link(operator, ti_key=None)


def test_finished_application_is_shown_by_the_history_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDSMITH_SPARK_UI", MASTER)
    monkeypatch.setenv("GOLDSMITH_SPARK_HISTORY", HISTORY)
    assert link("app-1") == "http://127.0.0.1:18080/history/app-1/"
    assert application_page("app-1") == "http://127.0.0.1:8080/app/?appId=app-1", "while it runs"


def test_master_shows_applications_without_a_history_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDSMITH_SPARK_UI", MASTER)
    monkeypatch.delenv("GOLDSMITH_SPARK_HISTORY", raising=False)
    assert link("app-1") == "http://127.0.0.1:8080/app/?appId=app-1"


@pytest.mark.parametrize(
    ("variables", "page"),
    [
        ({"GOLDSMITH_SPARK_UI": MASTER, "GOLDSMITH_SPARK_HISTORY": HISTORY}, MASTER),
        ({"GOLDSMITH_SPARK_HISTORY": HISTORY}, HISTORY),
        ({}, ""),
    ],
)
def test_task_without_an_application_leads_to_the_start_page(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], page: str
) -> None:
    for name in ("GOLDSMITH_SPARK_UI", "GOLDSMITH_SPARK_HISTORY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert link(None) == page
