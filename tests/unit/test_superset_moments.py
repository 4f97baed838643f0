"""The moment of a page: how it is written and read, looked up, and part of what data is kept under."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from goldsmith_superset import moments
from goldsmith_superset.clock import STEP, bounds, reads_clock
from goldsmith_superset.lookup import AT_ONCE, Lookup
from goldsmith_superset.moments import (
    HEADER,
    LONGEST,
    MalformedError,
    Named,
    Replaced,
    Version,
    Versions,
    of_page,
    read,
    written,
)

SCRIPT = Path(moments.__file__).parent / "web" / "moment.js"
ID = "0a1b2c3d-1111-2222-3333-444455556666"


def version(number: int, table: str = ID) -> Version:
    return Version(number, table, 1000.0 + number)


def test_a_page_repeats_what_it_was_told() -> None:
    text = written(
        {(1, "ops.runs"): version(3), (1, "gold.sales"): version(12), (2, "gold.sales"): version(0)}
    )
    assert text == "1/gold.sales=12.0a1b2c3d,1/ops.runs=3.0a1b2c3d,2/gold.sales=0.0a1b2c3d"
    assert read(text) == {
        (1, "gold.sales"): Named(12, "0a1b2c3d"),
        (1, "ops.runs"): Named(3, "0a1b2c3d"),
        (2, "gold.sales"): Named(0, "0a1b2c3d"),
    }
    assert read("") == {}


@pytest.mark.parametrize(
    "header",
    [
        "gold.sales=12.0a1b2c3d",
        "1/sales=12.0a1b2c3d",
        "1/gold.sales=-1.0a1b2c3d",
        "1/gold.sales=1.5.0a1b2c3d",
        "1/gold.sales=12.0A1B2C3D",
        "1/gold.sales=12.0a1b2c3d,",
        "1/gold.sales=12.0a1b2c3d\n",
        "1/gold.sales=12.0a1b2c3d 1/gold.t=1.0a1b2c3d",
        "1/gold.sales`=12.0a1b2c3d",
        "1/gold.sales=12 OR 1=1.0a1b2c3d",
        "1/gold.sales=\u0661.0a1b2c3d",
        f"1/gold.{'s' * LONGEST}=12.0a1b2c3d",
    ],
)
def test_a_header_that_no_page_sends_is_refused(header: str) -> None:
    with pytest.raises(MalformedError, match=HEADER):
        read(header)


def test_a_header_stays_short_enough_for_a_web_server() -> None:
    many = {(1, f"gold.table_{number}"): version(number) for number in range(1000)}
    text = written({**many, (1, "gold.odd name"): version(1)})
    assert LONGEST - 100 < len(text) <= LONGEST
    assert len(read(text)) > 100


def test_a_page_reads_the_versions_it_names_and_the_newest_of_the_others() -> None:
    newest = {"gold.sales": version(12), "gold.visits": version(4)}
    found = of_page(newest, {"gold.sales": Named(9, "0a1b2c3d"), "gold.nosuch": Named(1, "0a1b2c3d")})
    assert {name: each.number for name, each in found.items() if isinstance(each, Version)} == {
        "gold.sales": 9,
        "gold.visits": 4,
    }


@pytest.mark.parametrize("named", [Named(13, "0a1b2c3d"), Named(3, "ffffffff")])
def test_a_table_that_was_replaced_since_is_not_read_in_its_place(named: Named) -> None:
    (found,) = of_page({"gold.sales": version(12)}, {"gold.sales": named}).values()
    assert isinstance(found, Replaced)
    assert "Reload the page" in str(found)


class Server:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked, self.now, self.away = 0, 0.0, False

    def look(self) -> Versions:
        self.asked += 1
        if self.away:
            raise OSError("away")
        return {"gold.sales": version(self.asked)}


def test_a_look_up_is_shared_for_some_seconds() -> None:
    server = Server()
    lookup = Lookup(clock=lambda: server.now)
    for now, asked in ((0.0, 1), (4.9, 1), (5.0, 2), (9.9, 2), (10.1, 3)):
        server.now = now
        assert lookup.versions(server.look) == {"gold.sales": version(asked)}
    for server.now, asked in ((10.2, 4), (10.3, 5)):
        assert lookup.versions(server.look, shared=AT_ONCE) == {"gold.sales": version(asked)}


def test_readers_who_come_together_cost_one_look_up() -> None:
    server = Server()
    lookup = Lookup()
    together = Barrier(30)
    found: list[Versions | None] = []

    def reads() -> None:
        together.wait()
        found.append(lookup.versions(server.look))

    readers = [Thread(target=reads) for _ in range(30)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert (server.asked, len(found)) == (1, 30)


def test_a_server_that_is_away_leaves_the_last_versions_and_is_not_asked_at_once() -> None:
    server = Server()
    changes: list[int] = []
    lookup = Lookup(lambda: changes.append(server.asked), clock=lambda: server.now)
    server.away = True
    assert lookup.versions(server.look) is None
    server.away, server.now = False, 6.0
    assert lookup.versions(server.look) == {"gold.sales": version(2)}
    server.away, server.now = True, 12.0
    for server.now in (12.0, 14.0):
        assert lookup.versions(server.look) == {"gold.sales": version(2)}
    assert (server.asked, changes) == (3, [2])


@pytest.mark.parametrize(
    ("query", "sql", "expected"),
    [
        ({"metrics": ["rows"]}, None, False),
        ({"metrics": ["hours"]}, None, True),
        ({"columns": ["late"]}, None, True),
        ({"metrics": [{"sqlExpression": "max(day) - CURRENT_DATE"}]}, None, True),
        ({"extras": {"where": "day > now()"}}, None, True),
        ({"metrics": ["rows"]}, "SELECT *, uuid() AS id FROM t", True),
        ({"filter": [{"op": "TEMPORAL_RANGE", "col": "day", "val": "Last week"}]}, None, True),
        ({"filter": [{"op": "TEMPORAL_RANGE", "col": "day", "val": "No filter"}]}, None, False),
        ({"filter": [{"op": "TEMPORAL_RANGE", "col": "day", "val": "2013-01-01 : 2013-02-01"}]}, None, False),
        ({"filter": [{"op": "TEMPORAL_RANGE", "col": "day", "val": "2013-01-01 : now"}]}, None, True),
        ({"filter": [{"op": "==", "col": "shop", "val": "known"}]}, None, False),
    ],
)
def test_charts_that_ask_what_time_it_is_are_known(
    query: dict[str, Any], sql: str | None, expected: bool
) -> None:
    expressions = {
        "rows": "COUNT(*)",
        "hours": "max(now() - day)",
        "late": "day < current_date()",
        "day": None,
    }
    assert reads_clock(query, sql, expressions) is expected


def test_a_span_of_time_is_another_one_when_its_ends_move() -> None:
    def of(minute: int) -> str:
        return bounds({"from_dttm": datetime(2026, 1, 1), "to_dttm": datetime(2026, 1, 2, 3, minute)})

    assert STEP == 600
    assert of(1) == of(9) != of(11)
    assert bounds({"from_dttm": None}) == bounds({}) == "/"


def test_the_script_names_the_header_that_the_server_reads() -> None:
    assert re.findall(r'HEADER = "([^"]+)"', SCRIPT.read_text(encoding="utf-8")) == [HEADER]
