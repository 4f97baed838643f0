"""A DQOps server that stores results as release 1.11.6 does: by id, group and time scale.

Its responses follow a real server, or its source code. `dqops_server.served` replays recorded responses instead.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from goldsmith.yaml_text import parsed
from support.dqops_server import Reply, listening

SEVERITIES = ("valid", "warning", "error", "fatal", "execution_error")
NO_GROUP = "no grouping"
NOT_FOUND: Reply = (404, None)
SHORTEST_WAIT = 120
"""Seconds that the server waits if a request has no limit."""


@dataclass
class Check:
    """A check of a table's file, and its result. error: why it cannot be executed.

    grouped: its data grouping is configured, so that its ids include the group.
    """

    name: str
    severity: int = 0
    value: float = 0.0
    column: str | None = None
    group: str = NO_GROUP
    category: str = "volume"
    dimension: str = "Completeness"
    check_type: str = "monitoring"
    time_scale: str = "daily"
    error: str | None = None
    grouped: bool = False


@dataclass
class Job:
    key: str
    status: str = "queued"
    result: dict[str, Any] | None = None
    polls: int = 0
    message: str | None = None


@dataclass
class Incident:
    table: str
    category: str
    dimension: str
    severity: int
    status: str = "open"
    minimum: int = 2
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Dqops:
    """The server. tables: the results of runs, by table. home: a user home with groupings and addresses.

    waits: seconds that a job is queued. stuck: jobs run until they are cancelled. failing: the error of each job.
    stored, errors: the content of its files. posted: addresses, and the status posted to each.
    """

    day: str
    tables: dict[str, list[Check]] = field(default_factory=dict)
    home: Path | None = None
    waits: float = 0.0
    stuck: bool = False
    failing: str | None = None
    stored: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    incidents: list[Incident] = field(default_factory=list)
    posted: list[tuple[str, str]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    runs: int = 0
    url: str = ""

    @property
    def cancelled(self) -> list[str]:
        return [key for key, job in self.jobs.items() if job.status == "cancelled"]

    def answer(self, method: str, path: str, body: Any) -> Reply:
        self.seen.append(f"{method} {path}")
        split = urlsplit(path)
        query = {name: values[-1] for name, values in parse_qs(split.query).items()}
        match (method, *map(unquote, split.path.removeprefix("/api/").split("/"))):
            case ("POST", "jobs", "deletestoreddata"):
                return self._forget(query, body)
            case ("POST", "jobs", "runchecks"):
                return self._start(query, body["check_search_filters"])
            case ("GET", "jobs", "jobs", key):
                return self._job(key)
            case ("DELETE", "jobs", "jobs", key):
                return self._cancel(key)
            case ("GET", "incidents", _):
                return self._incidents(query)
            case ("POST", "incidents", _, _, _, incident, "status"):
                return self._resolve(incident, query["status"])
            case ("GET", "connections", _, "schemas", schema, "tables", table, *rest):
                return self._of_table(f"{schema}.{table}", rest, query)
        return self._unknown(f"{method} {path}")

    def _unknown(self, request: str) -> Reply:
        self.unexpected.append(request)
        return 599, None

    # Jobs

    def _forget(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Reply:
        key = query.get("jobBusinessKey", str(uuid.uuid4()))
        job = self.jobs[key] = Job(key)
        if self.waits > int(query.get("waitTimeout", SHORTEST_WAIT)):
            return 201, None
        self._delete(body)
        job.status = "finished"
        return 201, {"jobId": {"jobId": len(self.jobs)}, "result": {}, "status": "finished"}

    def _delete(self, body: Mapping[str, Any]) -> None:
        def is_kept(row: Mapping[str, Any]) -> bool:
            return not (
                f"{row['schema_name']}.{row['table_name']}" == body["fullTableName"]
                and body["dateStart"] <= row["time_period"].date().isoformat() <= body["dateEnd"]
                and body.get("checkName", row["check_name"]) == row["check_name"]
                and body.get("checkType", row["check_type"]) == row["check_type"]
                and body.get("timeGradient", row["time_gradient"]) == row["time_gradient"]
            )

        self.stored = [row for row in self.stored if is_kept(row)]
        self.errors = [row for row in self.errors if is_kept(row)]

    def _start(self, query: Mapping[str, str], filters: Mapping[str, Any]) -> Reply:
        job = self.jobs[query["jobBusinessKey"]] = Job(query["jobBusinessKey"])
        if self.failing:
            job.status, job.message = "failed", self.failing
        elif self.stuck:
            job.status = "running"
        else:
            # Unknown keys are ignored. Without a table, the checks of all tables run.
            names = [filters["fullTableName"]] if "fullTableName" in filters else list(self.tables)
            results = [self.run(name, filters) for name in names if name in self.tables]
            job.result = results[0] if results else _counted([], 0, 0)
            job.status = "finished"
        return 201, {"jobId": {"jobBusinessKey": job.key}, "status": "queued"}

    def _job(self, key: str) -> Reply:
        if key not in self.jobs:
            return NOT_FOUND
        job = self.jobs[key]
        parameters: dict[str, Any] = {"runChecksParameters": {}}
        if job.result is not None:
            parameters["runChecksParameters"]["run_checks_result"] = job.result
        response = {"jobId": {"jobBusinessKey": key}, "parameters": parameters, "status": job.status}
        return 200, response | ({"errorMessage": job.message} if job.message else {})

    def _cancel(self, key: str) -> Reply:
        if key not in self.jobs:
            return NOT_FOUND
        if self.jobs[key].status not in ("finished", "failed"):
            self.jobs[key].status = "cancelled"
        return 204, None

    # Runs

    def run(self, table: str, filters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Runs the checks of a table that match the filters: by type, time scale and name, if given."""
        wanted = filters or {}
        found = [
            check
            for check in self.tables[table]
            if wanted.get("checkType", check.check_type) == check.check_type
            and wanted.get("timeScale", check.time_scale) == check.time_scale
            and wanted.get("checkName", check.name) == check.name
        ]
        self.runs += 1
        executed_at = datetime.fromisoformat(self.day).replace(tzinfo=UTC) + timedelta(
            hours=6, minutes=self.runs
        )
        judged: list[dict[str, Any]] = []
        for check in found:
            row = self._row(table, check, executed_at)
            if check.error is not None:
                self.errors.append({**row, "error_message": check.error})
                continue
            same = [
                old
                for old in self.stored
                if (old["id"], old["data_group_name"]) == (row["id"], row["data_group_name"])
                and old["actual_value"] == row["actual_value"]
            ]
            if not same:
                judged.append(row)
        ids = {row["id"] for row in judged}
        # Rows of one run may share an id. A later run replaces all of them.
        self.stored = [row for row in self.stored if row["id"] not in ids] + judged
        self._open_incidents(table, judged)
        # The series of a check count as one check.
        executed = len({(check.name, check.column) for check in found})
        return _counted(judged, executed, len([check for check in found if check.error]))

    def _row(self, table: str, check: Check, executed_at: datetime) -> dict[str, Any]:
        schema, short = table.split(".")
        period = datetime.fromisoformat(self.day)
        gradient = {"daily": "day", "monthly": "month"}[check.time_scale]
        period = period if gradient == "day" else period.replace(day=1)
        grouping = check.group if check.grouped or self._is_grouped(table, check.name) else ""
        parts = (table, check.column, check.check_type, check.name, period.isoformat(), grouping)
        return {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(map(str, parts)))),
            "actual_value": check.value,
            "expected_value": float("nan"),
            "time_period": period,
            "time_gradient": gradient,
            "data_group_name": check.group,
            "schema_name": schema,
            "table_name": short,
            "column_name": check.column,
            "check_name": check.name,
            "check_type": check.check_type,
            "check_category": check.category,
            "quality_dimension": check.dimension,
            "executed_at": executed_at.replace(tzinfo=None),
            "duration_ms": 5,
            "severity": check.severity,
            "error_upper_bound": 0.0,
        }

    def _is_grouped(self, table: str, name: str) -> bool:
        """Whether the table's file configures the data grouping of a check. The name alone does not suffice."""
        if self.home is None:
            return False
        file = self.home / f"sources/lakehouse/{table}.dqotable.yaml"
        if not file.is_file():
            return False
        spec = parsed(file.read_text(encoding="utf-8"))["spec"]
        for checks in spec["monitoring_checks"]["daily"].values():
            if name in checks:
                levels = (spec.get("groupings") or {}).get(checks[name].get("data_grouping")) or {}
                return any(level.get("source") == "column_value" for level in levels.values())
        return False

    # Results

    def _of_table(self, table: str, rest: list[str], query: Mapping[str, str]) -> Reply:
        if table not in self.tables:
            return NOT_FOUND
        match rest:
            case ["status"]:
                return 200, self._status(table, query)
            case ["monitoring", "daily", what]:
                return self._found(table, None, what, query)
            case ["columns", column, "monitoring", "daily", what]:
                return self._found(table, column, what, query)
        return self._unknown("/".join(rest))

    def _status(self, table: str, query: Mapping[str, str]) -> dict[str, Any]:
        since = (
            datetime.fromisoformat(query["since"]) if "since" in query else datetime.min.replace(tzinfo=UTC)
        )
        answer: dict[str, Any] = {"checks": {}, "columns": {}}
        rows = self.stored + [{**row, "severity": 4} for row in self.errors]
        for row in _of(rows, table):
            scale = "daily" if row["time_gradient"] == "day" else "monthly"
            if (
                row["executed_at"].replace(tzinfo=UTC) < since
                or row["check_type"] == "profiling"
                or (row["check_type"] == "partitioned" and query.get("partitioned") == "false")
                or query.get("checkTimeScale", scale) != scale
            ):
                continue
            level = (
                answer
                if row["column_name"] is None
                else answer["columns"].setdefault(row["column_name"], {"checks": {}})
            )
            at = row["executed_at"].isoformat()
            entry = level["checks"].setdefault(
                row["check_name"],
                {
                    "current_severity": SEVERITIES[row["severity"]],
                    "last_executed_at": at,
                    "check_type": row["check_type"],
                    "time_scale": scale,
                    "category": row["check_category"],
                    "quality_dimension": row["quality_dimension"],
                    "execution_errors": 0,
                },
            )
            entry["execution_errors"] += row["severity"] == 4
            severity = SEVERITIES.index(entry["current_severity"])
            if at > entry["last_executed_at"] or (
                at == entry["last_executed_at"] and row["severity"] > severity
            ):
                entry |= {"current_severity": SEVERITIES[row["severity"]], "last_executed_at": at}
        return answer

    def _found(self, table: str, column: str | None, what: str, query: Mapping[str, str]) -> Reply:
        rows = _of(self.stored if what == "results" else self.errors, table)
        if what == "results" and not rows:
            return 500, {"message": "Internal Server Error"}
        if column is not None and column not in {check.column for check in self.tables[table]}:
            return NOT_FOUND
        # The table's results exclude those of columns.
        here = [
            row
            for row in rows
            if row["column_name"] == column
            and (row["check_type"], row["time_gradient"]) == ("monitoring", "day")
            and query["monthStart"][:7] <= row["time_period"].isoformat()[:7] <= query["monthEnd"][:7]
        ]
        newest = sorted(here, key=lambda row: (row["executed_at"], row.get("severity", 0)), reverse=True)
        series: dict[tuple[str, str], dict[str, Any]] = {}
        for row in newest:
            series.setdefault((row["check_name"], row["data_group_name"]), row)
        if what == "results":
            return 200, [_result(row) for row in series.values()]
        return 200, [_error(row) for row in series.values()]

    # Incidents

    def _open_incidents(self, table: str, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            key = (table, row["check_category"], row["quality_dimension"])
            known = [
                i
                for i in self.incidents
                if (i.table, i.category, i.dimension) == key and i.status != "resolved"
            ]
            if row["severity"] >= 2 and not known:
                self.incidents.append(Incident(*key, row["severity"]))
                self._post("open")

    def _incidents(self, query: Mapping[str, str]) -> Reply:
        """The filter matches any table whose name contains the word."""
        listed = [
            {
                "incidentId": incident.id,
                "year": int(self.day[:4]),
                "month": int(self.day[5:7]),
                "schema": incident.table.split(".")[0],
                "table": incident.table.split(".")[1],
                "checkCategory": incident.category,
                "qualityDimension": incident.dimension,
                "highestSeverity": incident.severity,
                "minimumSeverity": incident.minimum,
                "status": incident.status,
            }
            for incident in self.incidents
            if incident.status in ("open", "acknowledged") and query.get("filter", "") in incident.table
        ]
        return 200, listed[: int(query.get("limit", 50))]

    def _resolve(self, id_: str, status: str) -> Reply:
        for incident in self.incidents:
            if incident.id == id_:
                incident.status = status
                self._post(status)
        return 204, None

    def _post(self, status: str) -> None:
        """Posts to the addresses of the connection, or by default of the settings. Replaces no variables."""
        if self.home is None:
            return
        key = {"open": "incident_opened_addresses", "resolved": "incident_resolved_addresses"}[status]
        connection = self.home / "sources/lakehouse/connection.dqoconnection.yaml"
        own = parsed(connection.read_text())["spec"]["incident_grouping"].get("incident_notification") or {}
        settings = self.home / "settings/defaultnotifications.dqonotifications.yaml"
        default = (parsed(settings.read_text())["spec"] or {}) if settings.is_file() else {}
        address = own.get(key, default.get(key))
        if address:
            self.posted.append((address, status))


def _of(rows: list[dict[str, Any]], table: str) -> list[dict[str, Any]]:
    return [row for row in rows if f"{row['schema_name']}.{row['table_name']}" == table]


def _counted(judged: list[dict[str, Any]], executed: int, broken: int) -> dict[str, Any]:
    """The result of a run. It is `valid` even if nothing ran or all checks failed."""
    highest = max((row["severity"] for row in judged), default=0)
    return {
        "highest_severity": SEVERITIES[highest],
        "executed_checks": executed,
        "execution_errors": broken,
    }


def _result(row: Mapping[str, Any]) -> dict[str, Any]:
    entry = {
        "id": row["id"],
        "checkName": row["check_name"],
        "actualValue": row["actual_value"],
        "errorUpperBound": row["error_upper_bound"],
        "severity": row["severity"],
        "dataGroup": row["data_group_name"],
        "timePeriod": row["time_period"].isoformat(),
        **({"columnName": row["column_name"]} if row["column_name"] else {}),
    }
    return {
        "checkName": row["check_name"],
        "dataGroup": row["data_group_name"],
        "checkResultEntries": [entry],
    }


def _error(row: Mapping[str, Any]) -> dict[str, Any]:
    entry = {
        "errorMessage": row["error_message"],
        "timePeriod": row["time_period"].isoformat(),
        **({"columnName": row["column_name"]} if row["column_name"] else {}),
    }
    return {"checkName": row["check_name"], "errorEntries": [entry]}


@contextmanager
def running(server: Dqops) -> Iterator[Dqops]:
    """Runs the server."""
    with listening(server.answer) as url:
        server.url = url
        yield server
    if server.unexpected:
        raise AssertionError(f"unknown requests: {server.unexpected}")
