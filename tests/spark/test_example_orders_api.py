"""The example with an HTTP API, against a server that fails now and then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from pyspark.sql import SparkSession

from support.example import Example
from support.http_server import Answer, serving

PAGE = 3


class Api:
    """Orders in pages of three. faults: answers to the next requests: an HTTP status, `drop`, or a text as the body."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.faults: list[int | str] = []
        self.requests: list[str] = []

    def add(self, number: int, amount: str, at: str, customer: str | None = "Ada") -> None:
        """Adds a change of an order; the amount is written as it is."""
        self.orders.append(
            f'{{"id": {number}, "customer": {json.dumps(customer)}, "status": "paid", "amount": {amount}, '
            f'"changed_at": "2026-01-05T{at}Z"}}'
        )

    def page(self, after: str) -> str:
        """The page after a cursor, which is a number of orders."""
        start = int(after or 0)
        rows = self.orders[start : start + PAGE]
        end = start + len(rows)
        following = json.dumps(str(end)) if end < len(self.orders) else "null"
        return f'{{"orders": [{", ".join(rows)}], "next": {following}, "last": "{end}"}}'


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    served = Api()

    def answer(path: str) -> Answer | None:
        after = parse_qs(urlparse(path).query).get("after", [""])[0]
        served.requests.append(after)
        fault = served.faults.pop(0) if served.faults else 200
        if fault == "drop":
            return None
        return (200, fault) if isinstance(fault, str) else (fault, served.page(after))

    with serving(answer) as url:
        monkeypatch.setenv("ORDERS_API", url)
        yield served


@pytest.fixture
def example(spark: SparkSession, tmp_path: Path) -> Example:
    return Example(spark, "orders_api", tmp_path)


def test_every_change_is_loaded_once_from_a_server_that_fails(example: Example, api: Api) -> None:
    for number in range(1, 8):
        api.add(number, f"{number}.10", f"09:0{number}:00")
    api.add(1, "1234567.89", "10:00:00")
    api.faults = [503, 200, 429, "drop", 200, 500]
    result = example.run()
    assert not result.failed, result.failed
    assert api.requests == ["", "", "3", "3", "3", "6", "6"]
    assert len(example.rows("bronze.orders", "id", "amount")) == 8
    expected = [(number, Decimal(f"{number}.10")) for number in range(1, 8)]
    expected[0] = (1, Decimal("1234567.89"))
    assert example.rows("silver.orders", "id", "amount") == expected
    assert {outcome.status for outcome in example.run().outcomes} == {"nothing_new"}
    api.add(9, "0.10", "11:00:00")
    api.requests.clear()
    assert example.run().outcomes[0].counts.written == 1
    assert api.requests == ["8"]


@pytest.mark.parametrize(
    ("faults", "message", "retryable"),
    [
        (["<html>Please log in</html>"], "did not answer with JSON: '<html>Please log in</html>'", False),
        (['{"error": "quota"}'], "answered without orders", False),
        (['{"orders": [{"id": 1'], "did not answer with JSON", False),
        ([404], "HTTP Error 404", False),
        ([200, *[503] * 6], "HTTP Error 503", True),
    ],
)
def test_answer_that_is_no_page_loads_nothing(
    example: Example, api: Api, faults: list[int | str], message: str, retryable: bool
) -> None:
    for number in range(1, 6):
        api.add(number, "1.00", "09:00:00")
    api.faults = faults
    failed = example.run().outcomes[0]
    assert failed.error is not None
    assert (failed.error.code, failed.error.retryable) == ("GS309", retryable)
    assert message in failed.error.message
    api.faults = []
    assert not example.run().failed
    assert len(example.rows("bronze.orders", "id", "amount")) == 5
