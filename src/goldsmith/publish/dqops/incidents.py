"""Incidents of a table: the server keeps them open until they are marked as resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from goldsmith.publish.dqops import calls
from goldsmith.publish.dqops.client import NO_CONTENT, OK, Answer, Client, Request, refused
from goldsmith.publish.dqops.verdict import SEVERITIES, checks_in


@dataclass(frozen=True)
class Incident:
    """Failed checks of a table that the server reports together, by category, dimension and what else it groups by.

    A field that it does not group by is None. minimum: the least severity that belongs to it, as a number.
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
        told = (self.category, self.dimension, self.check_type, self.check)
        return ", ".join(part for part in told if part) or "the table"

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        return cls(
            str(told["incidentId"]),
            int(told["year"]),
            int(told["month"]),
            int(told.get("minimumSeverity") or 1),
            told.get("checkCategory"),
            told.get("qualityDimension"),
            told.get("checkType"),
            told.get("checkName"),
        )

    def holds(self, check: str, state: Mapping[str, Any]) -> bool:
        """Whether a check's state keeps the incident open. A check that could not be executed does."""
        asked = (
            (self.category, state.get("category")),
            (self.dimension, state.get("quality_dimension")),
            (self.check_type, state.get("check_type")),
            (self.check, check),
        )
        severity = state.get("current_severity")
        grave = SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
        return grave >= self.minimum and all(mine is None or mine == its for mine, its in asked)


def resolve_recovered(client: Client, table: str, daily: Any) -> tuple[str, ...]:
    """Marks the incidents of a table as resolved whose checks all hold again, and names them.

    daily: the table's status by today's daily checks. Monthly and partitioned checks count with their latest result.
    Raises RunError GS702 and NotReady GS701 if the server refuses or does not answer.
    """
    listed = _told(client, calls.incidents(table), list)
    incidents = [Incident.from_dict(i) for i in listed if f"{i.get('schema')}.{i.get('table')}" == table]
    if not incidents:
        return ()
    whole = _told(client, calls.whole_status(table), dict)
    others = [(check, state) for _, check, state in checks_in(whole) if not _is_daily(state)]
    states = [*((check, state) for _, check, state in checks_in(daily)), *others]
    recovered = [i for i in incidents if not any(i.holds(check, state) for check, state in states)]
    for incident in recovered:
        resolving = calls.resolve(incident.year, incident.month, incident.id)
        answer = client.call(resolving)
        if answer.status not in (OK, NO_CONTENT):
            raise refused(resolving, answer)
    return tuple(map(str, recovered))


def _is_daily(state: Mapping[str, Any]) -> bool:
    return state.get("check_type") == "monitoring" and state.get("time_scale") == "daily"


def _told(client: Client, request: Request, kind: type) -> Any:
    answer: Answer = client.call(request)
    if answer.status != OK or not isinstance(answer.body, kind):
        raise refused(request, answer)
    return answer.body
