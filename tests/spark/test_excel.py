"""Excel workbooks as deliveries."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from support.lake import Lake
from support.workbooks import workbook

NAME = "bronze.orders"


@pytest.fixture
def lake(unrecorded_lake: Lake) -> Lake:
    return unrecorded_lake


def declare(lake: Lake, columns: str, options: str = "") -> None:
    lake.declare(
        NAME, f"source: {{files: orders/*, format: excel, options: {{{options}}}}}\ncolumns: {{{columns}}}\n"
    )


def counts(lake: Lake) -> tuple[int, int, int]:
    found = lake.done()[NAME].counts
    return found.rows_in, found.written, found.quarantined


def test_sheets_are_loaded_by_their_header_with_the_declared_types(lake: Lake) -> None:
    declare(lake, "id: int, price: 'decimal(9,2)', day: date, at: timestamp, paid: boolean, note: string")
    head = ("id", "price", "day", "at", "paid", "note")
    lake.deliver(
        "orders/a+b c.xlsx",
        workbook(
            head,
            (1, 9.5, date(2026, 1, 31), datetime(2026, 1, 31, 9, 30), True, 'text, with "quotes"\nand lines'),
            (),
            (2, 10, None, None, None, None),
            ("x", 3.14159, None, None, None, 7),
            (3, 1, None, None, None, "more", "beyond"),
        ),
    )
    lake.deliver("orders/other.xlsx", workbook(tuple(reversed(head)), ("new", False, None, None, 3, 4)))
    lake.deliver("orders/empty.xlsx", workbook())
    assert counts(lake) == (5, 3, 2)
    assert lake.rows(NAME, "id", "price", "day", "paid", "note") == [
        (1, Decimal("9.50"), date(2026, 1, 31), True, 'text, with "quotes"\nand lines'),
        (2, Decimal("10.00"), None, None, None),
        (4, Decimal("3.00"), None, False, "new"),
    ]
    assert {row[0] for row in lake.rows(NAME, "_source_file")} == {"orders/a+b c.xlsx", "orders/other.xlsx"}
    held = dict(lake.quarantine(NAME))
    assert held["malformed",]["_malformed"] == "3,1,,,,more,beyond"
    ((reasons, row),) = [each for each in held.items() if each[0] != ("malformed",)]
    assert reasons == ("cast(id as int)", "cast(price as decimal(9,2))")
    assert row["price"] == "3.14159"
    assert counts(lake) == (0, 0, 0)


def test_new_columns_and_sheets_without_a_header(lake: Lake) -> None:
    declare(lake, "id: int")
    lake.deliver("orders/a.xlsx", workbook(("id", "new"), (1, 1.25)))
    assert counts(lake) == (1, 1, 0)
    assert lake.rows(NAME, "id", "new") == [(1, "1.25")]
    lake.remove(NAME)
    declare(lake, "id: int, name: string", "header: false")
    lake.deliver("orders/a.xlsx", workbook((1, "Ada"), (2,)))
    assert lake.done(rebuild=[NAME])[NAME].counts.written == 2
    assert lake.rows(NAME, "id", "name") == [(1, "Ada"), (2, None)]


def test_workbook_without_clear_values_stops_the_load(lake: Lake) -> None:
    declare(lake, "id: int")
    lake.deliver("orders/a.xlsx", workbook(("id",), (1,)))
    lake.deliver("orders/b.xlsx", workbook(("id",), ("=1+1",)))
    error = lake.failed(NAME).error
    assert error is not None
    assert (error.code, str(error.where.file)) == ("GS302", "orders/b.xlsx")
    assert "A2" in error.message
    assert lake.version(NAME) == -1
    lake.deliver("orders/b.xlsx", workbook(("id",), (2,)))
    assert counts(lake) == (2, 2, 0)
