"""Incidents of a table. The server keeps them open until they are marked as resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from goldsmith.publish.dqops import endpoints
from goldsmith.publish.dqops.client import (
    NO_CONTENT,
    OK,
    ApiRequest,
    ApiResponse,
    DqopsClient,
    response_error,
)
from goldsmith.publish.dqops.verdict import SEVERITIES, checks_in


@dataclass(frozen=True)
class Incident:
    """Failed checks of a table that the server groups into one incident, by category, dimension and other fields.

    A field that the server does not group by is None. minimum: the lowest severity of the incident, as a number.
    """

    id: str
    year: int
    month: int
    minimum: int
    category: str | None
    dimension: str | None
    check_type: str | None
    check: str | None

    def __str__(self) -> str:
        parts = (self.category, self.dimension, self.check_type, self.check)
        return ", ".join(part for part in parts if part) or "the table"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            str(data["incidentId"]),
            int(data["year"]),
            int(data["month"]),
            int(data.get("minimumSeverity") or 1),
            data.get("checkCategory"),
            data.get("qualityDimension"),
            data.get("checkType"),
            data.get("checkName"),
        )

    def kept_open_by(self, check: str, state: Mapping[str, Any]) -> bool:
        """Whether a check's state keeps the incident open. A check with an execution error does."""
        fields = (
            (self.category, state.get("category")),
            (self.dimension, state.get("quality_dimension")),
            (self.check_type, state.get("check_type")),
            (self.check, check),
        )
        severity = state.get("current_severity")
        level = SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
        return level >= self.minimum and all(mine is None or mine == its for mine, its in fields)


def resolve_recovered(client: DqopsClient, table: str, daily: Any) -> tuple[str, ...]:
    """Resolves the incidents of a table whose checks all pass again, and returns their descriptions.

    daily: the table's status from today's daily checks. Monthly and partitioned checks count with their latest result.
    Raises RunError GS702 if the server refuses, NotReady GS701 if it does not respond.
    """
    listed = _body(client, endpoints.incidents(table), list)
    incidents = [Incident.from_dict(i) for i in listed if f"{i.get('schema')}.{i.get('table')}" == table]
    if not incidents:
        return ()
    whole = _body(client, endpoints.whole_status(table), dict)
    others = [(check, state) for _, check, state in checks_in(whole) if not _is_daily(state)]
    states = [*((check, state) for _, check, state in checks_in(daily)), *others]
    recovered = [i for i in incidents if not any(i.kept_open_by(check, state) for check, state in states)]
    for incident in recovered:
        resolving = endpoints.resolve(incident.year, incident.month, incident.id)
        answer = client.call(resolving)
        if answer.status not in (OK, NO_CONTENT):
            raise response_error(resolving, answer)
    return tuple(map(str, recovered))


def _is_daily(state: Mapping[str, Any]) -> bool:
    return state.get("check_type") == "monitoring" and state.get("time_scale") == "daily"


def _body(client: DqopsClient, request: ApiRequest, kind: type) -> Any:
    answer: ApiResponse = client.call(request)
    if answer.status != OK or not isinstance(answer.body, kind):
        raise response_error(request, answer)
    return answer.body
