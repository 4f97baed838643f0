"""XML files as a source of bronze."""

from __future__ import annotations

import bz2
import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import Row

from goldsmith.errors import GoldsmithError
from support.lake import Lake
from support.zip_files import zipped

SOURCE = """
source: {files: "invoices/*.xml*", format: xml, options: {records: invoices.invoice}}
columns:
  number: string
  total: decimal(9,2)
  lines: struct<line:array<struct<sku:string,pieces:int>>>
"""
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def invoice(number: str, total: str, lines: str = "", more: str = "") -> str:
    return f'<invoice number="{number}">{more}<total>{total}</total><lines>{lines}</lines></invoice>\n'


def invoices(*found: str) -> str:
    return f"{HEAD}<invoices>\n{''.join(found)}</invoices>\n"


def refusal(lake: Lake) -> GoldsmithError:
    error = lake.failed("bronze.invoices").error
    assert error is not None
    assert error.code == "GS302"
    return error


def test_records_are_loaded_with_attributes_and_nested_elements(lake: Lake) -> None:
    lake.declare("bronze.invoices", SOURCE)
    one = "<line><sku>a</sku><pieces>1</pieces></line>"
    two = one + '<line sku="b"><pieces>2</pieces></line>'
    lake.deliver("invoices/1.xml", invoices(invoice("1", "12.50", one), invoice("2", " 0.10 ", two)))
    lake.deliver("invoices/2.xml.gz", gzip.compress(invoices(invoice("3", "1e400")).encode()))
    lake.deliver("invoices/3.xml.BZ2", bz2.compress(invoices(invoice("4", "7")).encode()))
    lake.deliver("invoices/4.xml.zip", zipped({"4.xml": invoices(invoice("5", "8")).encode()}))
    counts = lake.done()["bronze.invoices"].counts
    assert (counts.rows_in, counts.written, counts.quarantined) == (5, 4, 1)
    line = Row("sku", "pieces")
    assert lake.rows("bronze.invoices", "number", "total", "lines.line") == [
        ("1", Decimal("12.50"), [line("a", 1)]),
        ("2", Decimal("0.10"), [line("a", 1), line("b", 2)]),
        ("4", Decimal("7.00"), None),
        ("5", Decimal("8.00"), None),
    ]
    [(reasons, row)] = lake.quarantine("bronze.invoices")
    assert (reasons, row["number"], row["total"]) == (("cast(total as decimal(9,2))",), "3", "1e400")
    assert {file.rpartition("/")[2] for (file,) in lake.rows("bronze.invoices", "_source_file")} == {
        "1.xml",
        "3.xml.BZ2",
        "4.xml.zip",
    }
    assert lake.done()["bronze.invoices"].status == "nothing_new"


def test_text_is_kept_as_delivered(lake: Lake) -> None:
    lake.declare("bronze.notes", "source: {files: notes/*.xml, format: xml}")
    lake.deliver(
        "notes/a.xml",
        """<?xml version="1.0" encoding="ISO-8859-1"?>
        <n:notes xmlns:n="urn:n" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
          <n:note id="007" n:kind="x">
          <text> Gr\xfc\xdfe &amp; &lt;b&gt; <![CDATA[<i>]]></text><empty/>
          <nil xsi:nil="true">x</nil></n:note>
          <!-- a comment --><n:note id="8">
          <text lang="de">tag</text><tag>1.0</tag><tag>02</tag></n:note>
        </n:notes>""".encode("latin-1"),
    )
    lake.done()
    columns = ("id", "kind", "text", "empty", "nil", "tag")
    first, second = lake.rows("bronze.notes", *columns)
    assert first == ("007", "x", " Grüße & <b> <i>", None, None, None)
    assert second[:2] == ("8", None)
    assert json.loads(second[2]) == {"lang": "de", "_text": "tag"}
    assert second[5] == '["1.0","02"]'


def test_record_with_two_values_for_a_column_is_quarantined(lake: Lake) -> None:
    lake.declare("bronze.invoices", SOURCE)
    double = invoice("1", "2", more="<number>9</number>")
    lake.deliver("invoices/1.xml", invoices(double, invoice("3", "4"), "<invoice>text</invoice>"))
    counts = lake.done()["bronze.invoices"].counts
    assert (counts.rows_in, counts.written, counts.quarantined) == (3, 1, 2)
    assert {reasons for reasons, _ in lake.quarantine("bronze.invoices")} == {("malformed",)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (invoices(invoice("1", "2"))[:-30], "not XML, or it is truncated: line "),
        ("<html><body>Log in</html>", "mismatched tag"),
        ("<error><code>503</code></error>", "has no `invoices`, which contains the records"),
        ("   \n", "no element found"),
        (invoices(invoice("1", "2", "<a>" * 70 + "</a>" * 70)), "nested deeper than 64"),
        ('<!DOCTYPE d [<!ENTITY a "b">]><invoices>&a;</invoices>', "declares entities"),
        (b"PK\x03\x04" + b"\0" * 60, "it is a ZIP archive"),
        ('<?xml version="1.0" encoding="klingon"?><invoices/>', "unknown encoding"),
    ],
)
def test_file_that_is_no_xml_loads_nothing_until_it_is_replaced(
    lake: Lake, content: str | bytes, message: str
) -> None:
    lake.declare("bronze.invoices", SOURCE)
    lake.deliver("invoices/1.xml", content)
    lake.deliver("invoices/2.xml", invoices(invoice("2", "3")))
    error = refusal(lake)
    assert message in error.message
    assert str(error.where.file).endswith("1.xml")
    assert error.hint
    lake.deliver("invoices/1.xml", invoices(invoice("1", "2")))
    lake.done()
    assert lake.rows("bronze.invoices", "number") == [("1",), ("2",)]


def test_truncated_compressed_file_is_refused(lake: Lake) -> None:
    lake.declare("bronze.invoices", SOURCE)
    lake.deliver("invoices/1.xml.gz", gzip.compress(invoices(invoice("1", "2")).encode())[:-12])
    assert "cannot be decompressed" in refusal(lake).message
    Path(lake.root / ".goldsmith/landing/invoices/1.xml.gz").unlink()
    lake.deliver("invoices/1.xml.zst", b"\x28\xb5\x2f\xfd")
    assert refusal(lake)


def test_place_without_records_and_unknown_place(lake: Lake) -> None:
    lake.declare("bronze.invoices", SOURCE)
    lake.deliver("invoices/1.xml", f"{HEAD}<invoices/>")
    assert lake.done()["bronze.invoices"].counts.rows_in == 0
    lake.declare("bronze.invoices", SOURCE.replace(", options: {records: invoices.invoice}", ""))
    lake.deliver("invoices/2.xml", "<invoices><head/><invoice number='1'/></invoices>")
    error = refusal(lake)
    assert "contains `head` and `invoice`" in error.message
    assert "options: {records: orders.order}" in str(error.hint)


def test_root_is_the_record(lake: Lake) -> None:
    lake.declare("bronze.invoices", SOURCE.replace("invoices.invoice", "invoice"))
    lake.deliver("invoices/1.xml", invoice("1", "2"))
    lake.done()
    assert lake.rows("bronze.invoices", "number") == [("1",)]
    lake.deliver("invoices/2.xml", "<error><code>503</code></error>")
    assert "The root of a file is not `invoice`" in refusal(lake).message


def test_released_record_is_parsed_again(lake: Lake) -> None:
    lake.declare("bronze.invoices", SOURCE)
    lake.deliver("invoices/1.xml", invoices(invoice("1", "2,50"), invoice("2", "3")))
    lake.done()
    assert len(lake.quarantine("bronze.invoices")) == 1
    lake.declare(
        "bronze.invoices",
        SOURCE.replace("total: decimal(9,2)", 'total: {type: "decimal(9,2)", decimal: ","}'),
    )
    assert lake.release("bronze.invoices").released == 1
    assert lake.rows("bronze.invoices", "number", "total") == [("1", Decimal("2.50")), ("2", Decimal("3.00"))]
