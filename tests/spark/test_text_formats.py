"""Values in files that are not written as in Spark SQL: compared with Python's readers, and through a load."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import SparkSession

from goldsmith.engine.delta.original_rows import BAD
from goldsmith.engine.ingest.shape import shape
from goldsmith.project.text_formats import TextFormat
from support.lake import Lake

BAD_TEXTS = ["", " ", "x", "1", "12.50", "2026-01-05", "05/01/2026 ", "5/1/26", "31/02/2026", "00/01/2026", "05/13/2026",
             "05/01/12026", "1.2.3", "1,2,3", "1.23,4", "--1", "1 2", ",", ".", "+", "1e3", "١٢"]  # fmt: skip


def dated(pattern: str, regex: str) -> Callable[[str], date]:
    def read(text: str) -> date:
        if not re.fullmatch(regex, text):
            raise ValueError(text)
        return datetime.strptime(text, pattern).date()

    return read


def number(mark: str, between: str, scale: int) -> Callable[[str], Decimal]:
    """A number with a decimal mark and a class of marks between thousands, of at most nine digits."""

    def read(text: str) -> Decimal:
        plain = text.strip(" \t")
        grouped = rf"[+-]?([0-9]{{1,3}}({between}[0-9]{{3}})+|[0-9]*)({re.escape(mark)}[0-9]*)?"
        if not re.fullmatch(grouped if between else grouped.replace("()", "(?!)"), plain) or not re.search(
            r"\d", plain
        ):
            raise ValueError(text)
        value = Decimal((re.sub(between, "", plain) if between else plain).replace(mark, "."))
        if value != round(value, scale) or abs(value) >= 10 ** (9 - scale):
            raise ValueError(text)
        return round(value, scale)

    return read


def local(zone: str) -> Callable[[str], datetime]:
    """A time of a zone as the instant in UTC without a zone."""

    def read(text: str) -> datetime:
        if not re.fullmatch(r"\d\d\.\d\d\.\d{4} \d\d:\d\d", text):
            raise ValueError(text)
        found = datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=ZoneInfo(zone), fold=0)
        if found.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != found.replace(
            tzinfo=None
        ):
            raise ValueError(text)
        return found.astimezone(UTC).replace(tzinfo=None)

    return read


DAYS = ["05/01/2026", "31/12/1999", "29/02/2024", "29/02/2023", "01/01/0001", "31/12/9999"]
TIMES = ["05.01.2026 09:30", "29.03.2026 01:59", "29.03.2026 02:30", "29.03.2026 03:00", "25.10.2026 02:30",
         "31.10.2026 24:00", "30.06.1978 12:00", "01.07.1893 00:00"]  # fmt: skip
NUMBERS = ["1.234,50", "1.234", "12,5", "-1.000.000,25", "1234567,89", "12345678,9", "0,001", "1,230", "1.23,4", "+,5",
           "5,", " 7,25 ", "1 234,50", "1\u00a0234,5", "1\u202f234", "1,234.50", "1'234.50", "1_234", "-0"]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "given", "texts", "model"),
    [
        ("date", TextFormat(format="dd/MM/yyyy"), DAYS, dated("%d/%m/%Y", r"\d\d/\d\d/\d{4}")),
        ("date", TextFormat(format="d/M/yyyy"), [*DAYS, "5/1/2026", "5/11/2026"], dated("%d/%m/%Y", r"\d\d?/\d\d?/\d{4}")),
        ("date", TextFormat(format="yyyyMMdd"), ["20260105", "20260230", "2026015"], dated("%Y%m%d", r"\d{8}")),
        ("date", TextFormat(format="dd MMM yyyy"), ["05 Jan 2026", "05 May 2026"], dated("%d %b %Y", r"\d\d \w{3} \d{4}")),
        ("timestamp", TextFormat(format="dd.MM.yyyy HH:mm", timezone="Europe/Berlin"), TIMES, local("Europe/Berlin")),
        ("timestamp", TextFormat(format="dd.MM.yyyy HH:mm", timezone="America/St_Johns"), TIMES, local("America/St_Johns")),
        ("timestamp", TextFormat(format="dd.MM.yyyy HH:mm"), TIMES, local("UTC")),
        ("timestamp_ntz", TextFormat(format="dd.MM.yyyy HH:mm"), TIMES, local("UTC")),
        ("decimal(9,2)", TextFormat(decimal=","), NUMBERS, number(",", "", 2)),
        ("decimal(9,2)", TextFormat(decimal=",", thousands="."), NUMBERS, number(",", "[.]", 2)),
        ("decimal(9,2)", TextFormat(thousands=","), NUMBERS, number(".", ",", 2)),
        ("decimal(9,2)", TextFormat(decimal=",", thousands=" "), NUMBERS, number(",", "[ \u00a0\u202f]", 2)),
        ("decimal(9,2)", TextFormat(thousands="'"), NUMBERS, number(".", "'", 2)),
        ("int", TextFormat(thousands="."), NUMBERS, number("!", "[.]", 0)),
    ],
)  # fmt: skip
def test_text_is_read_as_an_independent_reader_does(
    spark: SparkSession, kind: str, given: TextFormat, texts: list[str], model: Callable[[str], Any]
) -> None:
    every = list(dict.fromkeys([*texts, *BAD_TEXTS]))
    frame = spark.createDataFrame([(text, text) for text in every], "t string, v string")
    shaped = shape(frame, {"t": "string", "v": kind}, {"v": given}).frame
    shown = "CAST(v AS timestamp_ntz)" if kind == "timestamp" else "v"
    rows = shaped.selectExpr("t", f"{shown} AS v", f"{BAD}['v'] AS bad").collect()
    found = {row["t"]: (row["v"], row["bad"]) for row in rows}
    for text in every:
        try:
            expected = (model(text), None)
        except ValueError:
            expected = (None, text)
        assert found[text] == expected, text


def test_declared_nulls_are_null_in_every_type(spark: SparkSession) -> None:
    texts = ["NA", "-", "na", " NA", "7", ""]
    frame = spark.createDataFrame([(text, text, text) for text in texts], "t string, n string, s string")
    nulls = TextFormat(nulls=("NA", "-"))
    shaped = shape(frame, {"t": "string", "n": "int", "s": "string"}, {"N": nulls, "s": nulls}).frame
    rows = shaped.selectExpr("t", "n", "s", f"map_keys({BAD})[0] AS bad").collect()
    assert {row["t"]: tuple(row)[1:] for row in rows} == {
        "NA": (None, None, None),
        "-": (None, None, None),
        "na": (None, "na", "n"),
        " NA": (None, " NA", "n"),
        "7": (7, "7", None),
        "": (None, "", "n"),
    }


BRONZE = """
source: {{files: a/*.{0}, format: {0}}}
columns:
  id: int
  day: {1}
  amount: {{type: "decimal(9,2)", decimal: ",", nulls: NA}}
  note: {{nulls: [NA]}}
"""
CSV = 'id,day,amount,note\n1,05/01/2026,"3,50",a\n2,06/01/2026,NA,NA\n3,2026-01-07,"4,5",NA\nx,08/01/2026,"1,0",NA\n'
JSON = (
    '{"id":1,"day":"05/01/2026","amount":"3,50","note":"a"}\n{"id":2,"day":"06/01/2026","amount":"NA","note":"NA"}\n'
    '{"id":3,"day":"2026-01-07","amount":"4,5","note":"NA"}\n{"id":"x","day":"08/01/2026","amount":"1,0","note":"NA"}\n'
)


@pytest.mark.parametrize(("form", "content"), [("csv", CSV), ("json", JSON)])
def test_rows_are_loaded_quarantined_and_released_as_delivered(lake: Lake, form: str, content: str) -> None:
    lake.declare("bronze.a", BRONZE.format(form, "date"))
    lake.deliver(f"a/1.{form}", content)
    assert lake.done()["bronze.a"].counts.quarantined == 3
    days = [(reasons, row["day"]) for reasons, row in lake.quarantine("bronze.a")]
    assert days == [
        (("cast(day as date)",), "05/01/2026"),
        (("cast(day as date)",), "06/01/2026"),
        (("cast(id as int)", "cast(day as date)"), "08/01/2026"),
    ]
    lake.declare("bronze.a", BRONZE.format(form, "{type: date, format: dd/MM/yyyy}"))
    released = lake.release("bronze.a")
    assert (released.released, released.left) == (2, 1)
    lake.deliver(f"a/2.{form}", content.replace("x", "4"))
    lake.done()
    rows = lake.rows("bronze.a", "id", "day", "amount", "note")
    assert rows == sorted(
        [
            (1, date(2026, 1, 5), Decimal("3.50"), "a"),
            (1, date(2026, 1, 5), Decimal("3.50"), "a"),
            (2, date(2026, 1, 6), None, None),
            (2, date(2026, 1, 6), None, None),
            (3, date(2026, 1, 7), Decimal("4.50"), None),
            (4, date(2026, 1, 8), Decimal("1.00"), None),
        ],
        key=lambda row: tuple((value is not None, str(value)) for value in row),
    )
