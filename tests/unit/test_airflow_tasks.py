"""Handling of a task's form, of a job's result and of its log, without Airflow."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from goldsmith.errors import DeclarationError
from goldsmith.project.cron import Cron
from goldsmith.publish.airflow import job_log
from goldsmith.publish.airflow.intervals import Days
from goldsmith.publish.airflow.job_log import JobLog
from goldsmith.publish.airflow.outcomes import event_extra, failure_message, may_retry
from goldsmith.publish.airflow.requests import RunRequest, read_request

KNOWN = ("bronze.orders", "silver.orders", "gold.orders")
TODAY = date(2026, 1, 5)
DAILY = Cron.parse("@daily")


def requested(form: dict[str, Any], key: str | None = None) -> RunRequest:
    return read_request(form, key, DAILY, KNOWN, TODAY)


def test_form_overrides_the_days_of_a_partition() -> None:
    assert requested({}, "2013-01-01").days == Days(date(2013, 1, 1), date(2013, 1, 2))
    assert requested({"first_day": "2013-02-01", "last_day": "2013-02-03"}, "2013-01-01").days == Days(
        date(2013, 2, 1), date(2013, 2, 4)
    )
    assert requested({"last_day": "2013-02-03"}).days == Days(date(2013, 2, 3), date(2013, 2, 4))
    assert requested({}).days is None


def test_form_selects_tables() -> None:
    request = requested({"tables": ["gold.orders", "bronze.orders"], "rebuild": ["gold.orders"]})
    assert request.chosen(KNOWN[1:]) == ("gold.orders",)
    assert request.rebuild == ("gold.orders",)
    assert requested({"tables": []}).chosen(KNOWN) == KNOWN


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"first_day": "2026-01-07"}, "GS507"),
        ({"first_day": "2026-01-02", "last_day": "2026-01-01"}, "GS505"),
        ({"first_day": "soon"}, "GS504"),
        ({"tables": ["gold.order"]}, "GS108"),
        ({"tables": ["gold.orders"], "rebuild": ["silver.orders"]}, "GS504"),
    ],
)
def test_invalid_form_is_refused(form: dict[str, Any], code: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        requested(form)
    assert caught.value.code == code
    assert caught.value.hint


def error(code: str, *, retryable: bool) -> dict[str, Any]:
    return {"code": code, "message": f"{code} happened.\nMore of it", "retryable": retryable}


@pytest.mark.parametrize(
    ("code", "errors", "again"),
    [
        (1, [error("GS302", retryable=False)], False),
        (1, [error("GS302", retryable=False), error("GS410", retryable=True)], True),
        (3, [error("GS501", retryable=False)], False),
        (4, [error("GS905", retryable=True)], True),
        (1, None, True),
        (-9, None, True),
        (2, None, False),
        (3, None, False),
        (4, None, False),
    ],
)
def test_only_retryable_failures_are_retried(
    code: int, errors: list[dict[str, Any]] | None, again: bool
) -> None:
    result = None if errors is None else {"tables": [], "errors": errors}
    assert may_retry(code, result) is again


def test_failure_message_is_one_line() -> None:
    result = {"tables": [{"error": error("GS501", retryable=False)}, {"error": None}], "errors": []}
    assert failure_message(3, result) == "GS501 GS501 happened."
    assert "exit code -9" in failure_message(-9, None)


def test_asset_event_contains_the_counts_of_a_load() -> None:
    verdicts = [
        {"name": "a", "otherwise": "warn", "failed": 2, "checked": 9, "ok": False, "samples": ["secret"]},
        {"name": "b", "otherwise": "fail", "failed": 0, "checked": 9, "ok": True, "samples": []},
    ]
    table = {
        "table": "silver.orders", "status": "done", "seconds": 1.5, "versions": [3], "verdicts": verdicts,
        "counts": {"rows_in": 9, "written": 7, "quarantined": 2, "filtered": None}, "error": None,
    }  # fmt: skip
    result = {"run_id": "r", "tables": [table], "errors": []}
    assert event_extra("silver.orders", result) == {
        "run_id": "r", "status": "done", "seconds": 1.5, "versions": [3], "expectations": 2,
        "rows": {"rows_in": 9, "written": 7, "quarantined": 2},
        "not_held": [{"name": "a", "otherwise": "warn", "failed": 2, "checked": 9}],
    }  # fmt: skip
    assert event_extra("gold.orders", result) is None


def test_job_output_is_separated_from_the_jvm_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_log, "MAX_LINES", 3)
    log = JobLog()
    lines = [
        "Using Spark's default log4j profile: org/apache/spark/log4j2-defaults.properties\n",
        "26/11/21 15:26:35 INFO SparkContext: Running Spark version 4.1.4\n",
        "✓ bronze.orders   first load: 1 row written\n",
        "26/11/21 15:26:36 ERROR Executor: it broke\n",
        "java.lang.IllegalStateException: it broke\n",
        "\tat org.example.Main.run(Main.java:1)\n",
        "\n",
        "table          in written\n",
        "  at the landing folder\n",
        "Done: 1 commit to 1 table in 2.0 s.\n",
    ]
    assert list(log.own_lines(lines)) == [lines[2].rstrip(), "", *[line.rstrip() for line in lines[7:]]]
    assert (len(log), log.dropped) == (3, 2)


def test_application_id_is_detected_when_it_is_printed() -> None:
    named: list[str] = []
    log = JobLog(named.append)
    lines = iter(
        [
            "26/01/05 06:00:00 WARN Utils: x",
            "Spark application app-20260105060012-0007 on spark://m:7077",
            "bronze.orders",
        ]
    )
    own_lines = log.own_lines(lines)
    assert next(own_lines) == "Spark application app-20260105060012-0007 on spark://m:7077"
    assert named == ["app-20260105060012-0007"]
    assert log.application == "app-20260105060012-0007"
    assert list(own_lines) == ["bronze.orders"]
