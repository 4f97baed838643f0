"""The requests that Goldsmith makes of a DQOps server, word for word as release 1.11.6 takes them."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote, urlencode

from goldsmith.publish.dqops.client import Request
from goldsmith.publish.dqops.names import CONNECTION

FORGETTING = 600
"""Time limit of a job that forgets results, in seconds. It queues: the server runs one job at a time."""

CANCELLING = 10.0
"""Seconds that the server may take to cancel a job. The caller is often about to be killed."""

MONTHS = 12
"""How far back incidents are looked for, by when they were first seen."""


def _place(table: str) -> str:
    schema, short = table.split(".", 1)
    return f"/api/connections/{CONNECTION}/schemas/{quote(schema)}/tables/{quote(short)}"


def forget(table: str, day: date, key: str, check: str | None = None) -> Request:
    """Forgets what daily checks of a table stored on one day, so that they are judged anew.

    key: the name of this job. check: the one that is forgotten; None for all.
    """
    body = {
        "connection": CONNECTION,
        "fullTableName": table,
        "dateStart": day.isoformat(),
        "dateEnd": day.isoformat(),
        # Results of monthly, partitioned and profiling checks stay: no gate runs them again.
        "checkType": "monitoring",
        "timeGradient": "day",
        "deleteErrors": True,
        "deleteCheckResults": True,
        "deleteSensorReadouts": True,
        **({"checkName": check} if check else {}),
    }
    # Without this limit the server stops waiting after 120 s and answers with an empty body.
    query = urlencode({"wait": "true", "waitTimeout": FORGETTING, "jobBusinessKey": key})
    return Request("POST", f"/api/jobs/deletestoreddata?{query}", body, timeout=FORGETTING + 30)


def start(table: str, key: str, check: str | None = None) -> Request:
    """Starts a table's daily checks as a job that is known by `key`. check: the one that runs; None for all."""
    # The server takes any other spelling of these keys in silence, and runs the checks of every table.
    filters = {
        "connection": CONNECTION,
        "fullTableName": table,
        "enabled": True,
        "checkType": "monitoring",
        "timeScale": "daily",
        **({"checkName": check} if check else {}),
    }
    path = f"/api/jobs/runchecks?wait=false&jobBusinessKey={quote(key, safe='')}"
    return Request("POST", path, {"check_search_filters": filters})


def job(key: str) -> Request:
    """How a job stands. (The server's own call to wait for one answers 500 when the job ends.)"""
    return Request("GET", f"/api/jobs/jobs/{quote(key, safe='')}")


def cancel(key: str) -> Request:
    """Cancels a job, whether it waits or runs."""
    return Request("DELETE", f"/api/jobs/jobs/{quote(key, safe='')}", timeout=CANCELLING)


def status(table: str, since: str) -> Request:
    """The latest severity of each daily check. since: a full timestamp; without it history is added up."""
    # Without these two monthly and partitioned checks count too, which no gate has run.
    return Request("GET", f"{_place(table)}/status?since={since}&checkTimeScale=daily&partitioned=false")


def whole_status(table: str) -> Request:
    """The latest severity of each check of a table, monthly and partitioned ones too, in this month and the last."""
    return Request("GET", f"{_place(table)}/status")


def results(table: str, column: str | None, day: date) -> Request:
    """The newest result of each series of the daily checks on a column, or on the table, in the month of a day."""
    query = {**_month(day), "loadMode": "most_recent_per_group"}
    return Request("GET", f"{_daily(table, column)}/results?{urlencode(query)}")


def errors(table: str, column: str | None, day: date) -> Request:
    """Why daily checks on a column, or on the table, could not be executed, in the month of a day."""
    return Request("GET", f"{_daily(table, column)}/errors?{urlencode(_month(day))}")


def _daily(table: str, column: str | None) -> str:
    on = "" if column is None else f"/columns/{quote(column, safe='')}"
    return f"{_place(table)}{on}/monitoring/daily"


def _month(day: date) -> dict[str, str]:
    month = day.replace(day=1).isoformat()
    return {"monthStart": month, "monthEnd": month}


def incidents(table: str) -> Request:
    """The incidents that are open or acknowledged. The server's filter finds those of similar names, too."""
    query = {"months": MONTHS, "filter": table.split(".", 1)[1], "limit": 1000}
    return Request("GET", f"/api/incidents/{CONNECTION}?{urlencode(query)}")


def resolve(year: int, month: int, incident: str) -> Request:
    """Marks an incident as resolved, which the server announces. year, month: when it was first seen."""
    place = f"/api/incidents/{CONNECTION}/{year}/{month}/{quote(incident, safe='')}"
    return Request("POST", f"{place}/status?status=resolved")


def console_link(console: str, table: str) -> str:
    """Where a table's state is shown to people."""
    schema, short = table.split(".", 1)
    place = f"connection/{CONNECTION}/schema/{quote(schema)}/table/{quote(short)}"
    return f"{console}/monitoring/{place}/table-quality-status"
