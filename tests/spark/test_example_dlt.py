"""The example with a resource of dlt, against a server with pages that fails now and then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from pyspark.sql import SparkSession

from support.example import Example
from support.http_server import Answer, serving

PAGE = 2


class HelpDesk:
    """Tickets in pages of two, by the time of their change. faults: HTTP statuses of the next answers."""

    def __init__(self) -> None:
        self.tickets: list[tuple[str, str]] = []
        self.faults: list[int] = []
        self.since: list[str] = []
        self.url = ""

    def change(self, number: int, status: str, at: str, hours: str = "0.10") -> None:
        """Adds a change of a ticket; the hours are written as they are."""
        time = f"2026-01-05T{at}Z"
        ticket = {"id": number, "subject": "No ink", "status": status, "changed_at": time}
        self.tickets.append((time, json.dumps(ticket)[:-1] + f', "hours": {hours}}}'))

    def page(self, since: str, start: int) -> str:
        """The page of tickets that begins at a number."""
        changed = [text for time, text in self.tickets if time >= since]
        more = {"since": since, "start": start + PAGE}
        following = f"{self.url}/tickets?{urlencode(more)}" if start + PAGE < len(changed) else None
        return f'{{"tickets": [{", ".join(changed[start : start + PAGE])}], "next": {json.dumps(following)}}}'


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[HelpDesk]:
    served = HelpDesk()

    def answer(path: str) -> Answer:
        query = parse_qs(urlparse(path).query)
        start, since = int(query.get("start", ["0"])[0]), query["since"][0]
        status = served.faults.pop(0) if served.faults else 200
        if status != 200:
            return status, "{}"
        if start == 0:
            served.since.append(since)
        return status, served.page(since, start)

    with serving(answer) as served.url:
        monkeypatch.setenv("TICKETS_API", served.url)
        monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.01")
        yield served


@pytest.fixture
def example(spark: SparkSession, tmp_path: Path) -> Example:
    return Example(spark, "dlt_resource", tmp_path)


def test_changes_are_loaded_once_from_pages_of_a_server_that_fails(example: Example, desk: HelpDesk) -> None:
    for number in range(1, 6):
        desk.change(number, "open", f"09:0{number}:00")
    desk.faults = [503, 200, 429]
    result = example.run()
    assert not result.failed, [str(outcome.error) for outcome in result.outcomes]
    assert len(example.rows("bronze.tickets", "id", "status", "hours")) == 5
    assert {outcome.status for outcome in example.run().outcomes} == {"nothing_new"}
    # One more ticket has the time of the last one, which the API returns again.
    desk.change(6, "open", "09:05:00", hours="12345.67")
    desk.change(1, "closed", "10:00:00")
    assert example.run().outcomes[0].counts.written == 2
    assert desk.since[-1] == "2026-01-05T09:05:00Z"
    assert example.rows("silver.tickets", "id", "status", "hours")[0] == (1, "closed", Decimal("0.10"))
    assert example.rows("silver.tickets", "id", "status", "hours")[5] == (6, "open", Decimal("12345.67"))


def test_failure_keeps_the_state_of_the_last_commit(example: Example, desk: HelpDesk) -> None:
    desk.change(1, "open", "09:00:00")
    assert not example.run().failed
    desk.change(2, "open", "09:30:00")
    desk.faults = [404]
    failed = example.run().outcomes[0]
    assert failed.error is not None
    assert (failed.error.code, "404" in failed.error.message) == ("GS309", True)
    assert example.run().outcomes[0].counts.written == 1
    assert [number for number, _, _ in example.rows("bronze.tickets", "id", "status", "hours")] == [1, 2]
