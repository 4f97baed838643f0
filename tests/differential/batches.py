"""Draws deliveries: files of late, repeated, corrected, deleted and malformed rows."""

from __future__ import annotations

import bz2
import gzip
import re
from collections.abc import Sequence
from random import Random
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa

from differential.case import Step
from differential.projects import OTHER_TYPES, TYPED, Bronze
from differential.values import Value, json_text, kind_of, pick, plain_text, stored
from support.zip_files import zipped

Row = list[Value]
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
DAYS = ("2024-01-01", "2024-01-02")
"""The days of tables that are loaded by interval."""

_ESCAPES = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


class Deliveries:
    """Deliveries of one bronze table, with rows delivered again, late and corrected."""

    def __init__(self, random: Random, table: Bronze, *, zip_files: bool = False) -> None:
        self.random = random
        self.table = table
        self.compressions = [".gz", ".bz2"] if table.format == "xml" else [".gz", ".zst", ".bz2"]
        self.compressions += [".zip"] * zip_files
        self.rows: list[Row] = []
        self.files = 0
        self.days: dict[int, str] = {}
        # A few seeds have mostly extremes, most have some.
        self.extremes = random.choice([0.05, 0.1, 0.25, 0.6])

    def _row(self) -> Row:
        random = self.random
        if self.rows and random.random() < 0.45:
            row = list(random.choice(self.rows))
            row += [self._value(at) for at in range(len(row), len(self.table.columns))]
            if random.random() < 0.7:
                at = random.randrange(len(row))
                row[at] = self._value(at)
                if self.table.columns[at][0] == "op" and random.random() < 0.5:
                    row[at] = "D"
            return row
        if random.random() < 0.05:
            return [None] * len(self.table.columns)
        return [self._value(at) for at in range(len(self.table.columns))]

    def _value(self, at: int) -> Value:
        kind = self.table.columns[at][1]
        return pick(self.random, kind_of(kind), extremes=self.extremes, nulls=0.04 if at == 0 else 0.12)

    def file(self, replaces: bool = False) -> Step:
        """A file of zero to six rows."""
        random, table = self.random, self.table
        rows = [self._row() for _ in range(random.choice([0, 1, 1, 2, 2, 3, 4, 6]))]
        self.rows += rows
        ending = "txt" if table.format == "fixed_width" else table.format
        if table.format not in TYPED and random.random() < 0.08:
            ending += random.choice(self.compressions)
        self.files += not (replaces and self.files)
        number = random.randint(1, self.files) if replaces else self.files
        if table.by_interval:
            self.days.setdefault(number, random.choice(DAYS))
        day = f"{self.days[number]}/" if table.by_interval else ""
        path = f"{table.name.split('.')[1]}/{day}{number:03}.{ending}"
        step: Step = {"do": "deliver", "table": table.name, "path": path, "format": table.format}
        names = [name for name, _ in table.columns]
        kinds = [kind for _, kind in table.columns]
        if table.format == "avro":
            step["codec"] = random.choice(["null", "deflate", "snappy"])
        if table.untyped and self.files > 1:
            kinds, rows = self._changed(kinds, rows)
        if table.format in TYPED:
            return step | {"columns": names, "types": kinds, "records": [stored(row) for row in rows]}
        if table.format == "csv":
            sep = str(table.options.get("sep", ","))
            order = list(range(len(names)))
            if random.random() < 0.1:
                random.shuffle(order)
            header = sep.join(_csv_field(names[at], sep) for at in order)
            records = [self._csv(row, order, kinds, sep) for row in rows]
            return step | {"header": header, "records": records, "end": random.choice(["\n"] * 9 + ["\r\n"])}
        if table.format == "fixed_width":
            return step | {"records": [self._fixed(row, kinds) for row in rows], "end": "\n"}
        if table.format == "xml":
            elements = [self._xml(row, names, kinds) for row in rows]
            return step | {"header": "<rows>", "records": elements, "footer": "</rows>", "end": "\n"}
        return step | {"records": [self._json(row, names, kinds) for row in rows], "end": "\n"}

    def _changed(self, kinds: list[str], rows: list[Row]) -> tuple[list[str], list[Row]]:
        """The types and rows of a file, sometimes with another type of columns that have none declared."""
        random = self.random
        kinds, rows = list(kinds), [list(row) for row in rows]
        for at, (name, kind) in enumerate(self.table.columns):
            others = [other for other in OTHER_TYPES.get(kind, ()) if self._exists(other)]
            if name not in self.table.untyped or not others or random.random() > 0.25:
                continue
            kinds[at] = random.choice(others)
            for row in rows:
                fitting = kinds[at] == "string" and random.random() < 0.6
                value = pick(random, kind_of(kind if fitting else kinds[at]), extremes=self.extremes)
                row[at] = plain_text(kind, value) if fitting and value is not None else value
        return kinds, rows

    def _exists(self, kind: str) -> bool:
        """Whether files of the table's format can have a type: Avro has no integers of two bytes."""
        return self.table.format != "avro" or kind != "smallint"

    def _wrong(self, kind: str) -> str | None:
        """Occasionally a text that is invalid for the type."""
        wrong = kind_of(kind).wrong
        return self.random.choice(wrong) if wrong and self.random.random() < 0.04 else None

    def _csv(self, row: Row, order: Sequence[int], kinds: Sequence[str], sep: str) -> str:
        fields = []
        for at in order:
            kind, value, wrong = kinds[at], row[at], self._wrong(kinds[at])
            if wrong is not None:
                fields.append(_csv_field(wrong, sep))
            elif value is None:
                fields.append(str(self.table.options.get("nullValue", "")))
            elif isinstance(value, bytes) and not value.isascii():
                fields.append("?")
            else:
                fields.append(_csv_field(plain_text(kind, value), sep))
        line = sep.join(fields)
        spoil = self.random.random()
        if spoil < 0.02:
            return line + sep + "more"
        if spoil < 0.06:
            return '"' + line
        return line

    def _fixed(self, row: Row, kinds: Sequence[str]) -> str:
        """A line of fixed width. Values that are too long are cut, as by a program that writes such files."""
        line = ""
        for kind, value, width in zip(kinds, row, self.table.options["widths"], strict=True):
            wrong = self._wrong(kind)
            if wrong is not None:
                text = wrong
            elif value is None:
                text = ""
            else:
                text = "?" if isinstance(value, bytes) and not value.isascii() else plain_text(kind, value)
            line += "".join("?" if sign in "\r\n" else sign for sign in text)[:width].ljust(width)
        spoil = self.random.random()
        if spoil < 0.03:
            return line + "more"
        return line.rstrip() if spoil < 0.2 else line

    def _xml(self, row: Row, names: Sequence[str], kinds: Sequence[str]) -> str:
        """An element, whose values are attributes or elements; one with two of a name is malformed."""
        attributes, elements = "", ""
        for name, kind, value in zip(names, kinds, row, strict=True):
            wrong = self._wrong(kind)
            if value is None and wrong is None and self.random.random() < 0.5:
                continue
            shown = b"?" if isinstance(value, bytes) and not value.isascii() else value
            text = ("" if shown is None else plain_text(kind, shown)) if wrong is None else wrong
            text = escape(_NOT_IN_XML.sub("?", text), _ESCAPES)
            if self.random.random() < 0.3:
                attributes += f' {name}="{text}"'
            else:
                elements += f"<{name}>{text}</{name}>"
        if self.random.random() < 0.02 and attributes:
            name = attributes.split("=")[0].strip()
            elements += f"<{name}>again</{name}>"
        return f"<row{attributes}>{elements}</row>"

    def _json(self, row: Row, names: Sequence[str], kinds: Sequence[str]) -> str:
        parts = []
        for name, kind, value in zip(names, kinds, row, strict=True):
            wrong = self._wrong(kind)
            if value is None and wrong is None and self.random.random() < 0.5:
                continue
            shown = b"?" if isinstance(value, bytes) and not value.isascii() else value
            text = json_text(kind, shown) if wrong is None else json_text("string", wrong)
            parts.append(f"{json_text('string', name)}: {text}")
        line = "{" + ", ".join(parts) + "}"
        return line[:-2] if self.random.random() < 0.02 else line


def _csv_field(text: str, sep: str) -> str:
    if text == "" or text != text.strip() or any(sign in text for sign in (sep, '"', "\n", "\r", "\\")):
        return '"' + text.replace('"', '""') + '"'
    return text


def content(step: Step) -> Any:
    """The file's text for the rows of a delivery; None for files with types, which machine.py writes."""
    if step["format"] in TYPED:
        return None
    lines = [step["header"]] if "header" in step else []
    lines += step["records"]
    lines += [step["footer"]] if "footer" in step else []
    return "".join(line + step["end"] for line in lines)


def packed(text: str, path: str) -> bytes:
    """A file's bytes, compressed according to its name."""
    plain = text.encode()
    match path.rpartition(".")[2]:
        case "gz":
            return gzip.compress(plain, mtime=0)
        case "bz2":
            return bz2.compress(plain)
        case "zst":
            return bytes(pa.compress(plain, codec="zstd", asbytes=True))
        case "zip":
            return zipped({"only": plain})
        case _:
            return plain
