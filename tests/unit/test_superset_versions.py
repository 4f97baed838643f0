"""The table versions of a page: the header, the look-up, and the time-dependent part of the cache key."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from goldsmith_superset import versions
from goldsmith_superset.clock import STEP, bounds, reads_clock
from goldsmith_superset.lookup import AT_ONCE, VersionLookup
from goldsmith_superset.versions import (
    HEADER,
    MAX_LENGTH,
    MalformedHeaderError,
    RequestedVersion,
    TableReplaced,
    Version,
    Versions,
    for_page,
    from_header,
    to_header,
)

SCRIPT = Path(versions.__file__).parent / "web" / "moment.js"
ID = "0a1b2c3d-1111-2222-3333-444455556666"


def version(number: int, table: str = ID) -> Version:
    return Version(number, table, 1000.0 + number)


def test_header_round_trip() -> None:
    text = to_header(
        {(1, "ops.runs"): version(3), (1, "gold.sales"): version(12), (2, "gold.sales"): version(0)}
    )
    assert text == "1/gold.sales=12.0a1b2c3d,1/ops.runs=3.0a1b2c3d,2/gold.sales=0.0a1b2c3d"
    assert from_header(text) == {
        (1, "gold.sales"): RequestedVersion(12, "0a1b2c3d"),
        (1, "ops.runs"): RequestedVersion(3, "0a1b2c3d"),
        (2, "gold.sales"): RequestedVersion(0, "0a1b2c3d"),
    }
    assert from_header("") == {}


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
        f"1/gold.{'s' * MAX_LENGTH}=12.0a1b2c3d",
    ],
)
def test_malformed_header_is_refused(header: str) -> None:
    with pytest.raises(MalformedHeaderError, match=HEADER):
        from_header(header)


def test_header_length_is_limited() -> None:
    many = {(1, f"gold.table_{number}"): version(number) for number in range(1000)}
    text = to_header({**many, (1, "gold.odd name"): version(1)})
    assert MAX_LENGTH - 100 < len(text) <= MAX_LENGTH
    assert len(from_header(text)) > 100


def test_page_reads_requested_versions_and_the_newest_of_other_tables() -> None:
    newest = {"gold.sales": version(12), "gold.visits": version(4)}
    found = for_page(
        newest,
        {"gold.sales": RequestedVersion(9, "0a1b2c3d"), "gold.nosuch": RequestedVersion(1, "0a1b2c3d")},
    )
    assert {name: each.number for name, each in found.items() if isinstance(each, Version)} == {
        "gold.sales": 9,
        "gold.visits": 4,
    }


@pytest.mark.parametrize("named", [RequestedVersion(13, "0a1b2c3d"), RequestedVersion(3, "ffffffff")])
def test_replaced_table_is_refused(named: RequestedVersion) -> None:
    (found,) = for_page({"gold.sales": version(12)}, {"gold.sales": named}).values()
    assert isinstance(found, TableReplaced)
    assert "Reload the page" in str(found)


class Server:
    """A server that counts its queries."""

    def __init__(self) -> None:
        self.queries, self.now, self.away = 0, 0.0, False

    def look(self) -> Versions:
        self.queries += 1
        if self.away:
            raise OSError("away")
        return {"gold.sales": version(self.queries)}


def test_look_up_is_shared_for_some_seconds() -> None:
    server = Server()
    lookup = VersionLookup(clock=lambda: server.now)
    for now, queries in ((0.0, 1), (4.9, 1), (5.0, 2), (9.9, 2), (10.1, 3)):
        server.now = now
        assert lookup.versions(server.look) == {"gold.sales": version(queries)}
    for server.now, queries in ((10.2, 4), (10.3, 5)):
        assert lookup.versions(server.look, shared=AT_ONCE) == {"gold.sales": version(queries)}


def test_concurrent_readers_share_one_look_up() -> None:
    server = Server()
    lookup = VersionLookup()
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
    assert (server.queries, len(found)) == (1, 30)


def test_unreachable_server_keeps_the_last_versions() -> None:
    server = Server()
    changes: list[int] = []
    lookup = VersionLookup(lambda: changes.append(server.queries), clock=lambda: server.now)
    server.away = True
    assert lookup.versions(server.look) is None
    server.away, server.now = False, 6.0
    assert lookup.versions(server.look) == {"gold.sales": version(2)}
    server.away, server.now = True, 12.0
    for server.now in (12.0, 14.0):
        assert lookup.versions(server.look) == {"gold.sales": version(2)}
    assert (server.queries, changes) == (3, [2])


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
def test_time_dependent_charts_are_detected(query: dict[str, Any], sql: str | None, expected: bool) -> None:
    expressions = {
        "rows": "COUNT(*)",
        "hours": "max(now() - day)",
        "late": "day < current_date()",
        "day": None,
    }
    assert reads_clock(query, sql, expressions) is expected


def test_bounds_change_with_the_ends_of_a_time_range() -> None:
    def of(minute: int) -> str:
        return bounds({"from_dttm": datetime(2026, 1, 1), "to_dttm": datetime(2026, 1, 2, 3, minute)})

    assert STEP == 600
    assert of(1) == of(9) != of(11)
    assert bounds({"from_dttm": None}) == bounds({}) == "/"


def test_script_and_server_use_the_same_header() -> None:
    assert re.findall(r'HEADER = "([^"]+)"', SCRIPT.read_text(encoding="utf-8")) == [HEADER]
