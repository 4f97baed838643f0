"""The requests to a DQOps server, exactly as release 1.11.6 accepts them."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote, urlencode

from goldsmith.publish.dqops.client import ApiRequest
from goldsmith.publish.dqops.names import CONNECTION

DELETE_TIMEOUT = 600
"""Time limit of a job that deletes results, in seconds, including its time in the server's queue of jobs."""

CANCEL_TIMEOUT = 10.0
"""Time limit to cancel a job, in seconds. It is short, because the caller is often about to be killed."""

MONTHS = 12
"""How far back incidents are listed, by the month in which they were first seen."""


def _table_path(table: str) -> str:
    schema, short = table.split(".", 1)
    return f"/api/connections/{CONNECTION}/schemas/{quote(schema)}/tables/{quote(short)}"


def delete_results(table: str, day: date, key: str, check: str | None = None) -> ApiRequest:
    """Deletes the results of a table's daily checks of one day, so that they are evaluated again.

    key: the job's key. check: the check whose results are deleted; None for all.
    """
    body = {
        "connection": CONNECTION,
        "fullTableName": table,
        "dateStart": day.isoformat(),
        "dateEnd": day.isoformat(),
        # Results of monthly, partitioned and profiling checks stay, because no gate runs these checks.
        "checkType": "monitoring",
        "timeGradient": "day",
        "deleteErrors": True,
        "deleteCheckResults": True,
        "deleteSensorReadouts": True,
        **({"checkName": check} if check else {}),
    }
    # Without this limit the server stops waiting after 120 s and returns an empty body.
    query = urlencode({"wait": "true", "waitTimeout": DELETE_TIMEOUT, "jobBusinessKey": key})
    return ApiRequest("POST", f"/api/jobs/deletestoreddata?{query}", body, timeout=DELETE_TIMEOUT + 30)


def start(table: str, key: str, check: str | None = None) -> ApiRequest:
    """Starts a table's daily checks as a job with the key `key`. check: the check to run; None for all."""
    # The server silently ignores any other spelling of these keys, and runs the checks of all tables.
    filters = {
        "connection": CONNECTION,
        "fullTableName": table,
        "enabled": True,
        "checkType": "monitoring",
        "timeScale": "daily",
        **({"checkName": check} if check else {}),
    }
    path = f"/api/jobs/runchecks?wait=false&jobBusinessKey={quote(key, safe='')}"
    return ApiRequest("POST", path, {"check_search_filters": filters})


def job(key: str) -> ApiRequest:
    """The status of a job. (The server's own call to wait for a job returns 500 at its end.)"""
    return ApiRequest("GET", f"/api/jobs/jobs/{quote(key, safe='')}")


def cancel(key: str) -> ApiRequest:
    """Cancels a queued or running job."""
    return ApiRequest("DELETE", f"/api/jobs/jobs/{quote(key, safe='')}", timeout=CANCEL_TIMEOUT)


def status(table: str, since: str) -> ApiRequest:
    """The latest severity of each daily check. since: a full timestamp; without it the history is included."""
    # Without these two parameters monthly and partitioned checks are included, which no gate has run.
    return ApiRequest(
        "GET", f"{_table_path(table)}/status?since={since}&checkTimeScale=daily&partitioned=false"
    )


def whole_status(table: str) -> ApiRequest:
    """The latest severity of each check of a table, including monthly and partitioned ones, in this and last month."""
    return ApiRequest("GET", f"{_table_path(table)}/status")


def results(table: str, column: str | None, day: date) -> ApiRequest:
    """The newest result of each series of a column's daily checks, or of the table's, in the month of a day."""
    query = {**_month(day), "loadMode": "most_recent_per_group"}
    return ApiRequest("GET", f"{_daily(table, column)}/results?{urlencode(query)}")


def errors(table: str, column: str | None, day: date) -> ApiRequest:
    """The execution errors of a column's daily checks, or of the table's, in the month of a day."""
    return ApiRequest("GET", f"{_daily(table, column)}/errors?{urlencode(_month(day))}")


def _daily(table: str, column: str | None) -> str:
    on = "" if column is None else f"/columns/{quote(column, safe='')}"
    return f"{_table_path(table)}{on}/monitoring/daily"


def _month(day: date) -> dict[str, str]:
    month = day.replace(day=1).isoformat()
    return {"monthStart": month, "monthEnd": month}


def incidents(table: str) -> ApiRequest:
    """The open and acknowledged incidents of a table. The server's filter also matches similar names."""
    query = {"months": MONTHS, "filter": table.split(".", 1)[1], "limit": 1000}
    return ApiRequest("GET", f"/api/incidents/{CONNECTION}?{urlencode(query)}")


def resolve(year: int, month: int, incident: str) -> ApiRequest:
    """Marks an incident as resolved; the server sends a notification. year, month: when it was first seen."""
    path = f"/api/incidents/{CONNECTION}/{year}/{month}/{quote(incident, safe='')}"
    return ApiRequest("POST", f"{path}/status?status=resolved")


def console_link(console: str, table: str) -> str:
    """The address of a table's status page in the console."""
    schema, short = table.split(".", 1)
    path = f"connection/{CONNECTION}/schema/{quote(schema)}/table/{quote(short)}"
    return f"{console}/monitoring/{path}/table-quality-status"
