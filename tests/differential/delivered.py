"""The expected content of a bronze table for a delivered file: an independent reader without Spark.

    expected = read(b"id,name\\n1,Ada\\nx,Bo\\n", Declared("csv", {"id": "int", "name": "string"}))
    expected.rows         # [{"id": 1, "name": "Ada"}]
    expected.quarantined  # [QuarantinedRow(("cast(id as int)",), {"id": "x", "name": "Bo"})]

`read(content, declared, path)` takes a file's bytes as delivered (compressed if `path` ends in .gz, .bz2, .zst or .zip) and the
table's declaration of its files. It returns the expected rows of the table and of its quarantine, in the order of the
file. It supports CSV, JSON, fixed width without a header, and XML without nested elements. Values of Parquet and Avro are
typed already, and `cast` casts their text.

Values have forms that compare by `==`: bool, int, Decimal with its scale, str, bytes; a float as `number(x)`, which
distinguishes NaN and -0.0; a date or a timestamp as Spark's text in UTC, since Python's own end with year 9999; an
array as a list, a struct as a dict, a map as a sorted tuple of pairs. `observed(frame)` converts the rows of a Spark
DataFrame to the same forms.

A quarantined row has its reasons, and either `malformed`, the record's text, or values. Values that could not be cast
are the delivered text.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from math import isnan
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SYSTEM = ("_source_file", "_source_modified", "_source_size", "_ingested_at", "_run_id")
MALFORMED = "malformed"
NOT_IN_ENCODING = "not_in_encoding"
DEPTH = 64
"""The maximum nesting of a document."""

_REPLACEMENT = "\ufffd"
_BLANKS = "".join(map(chr, range(33)))
_SPACES = " \t\n\x0b\f\r"
_EXACT = Context(prec=5000, Emax=999999, Emin=-999999, traps=[InvalidOperation])


@dataclass(frozen=True)
class Declared:
    """A bronze table's declaration. columns: types by name; if empty, all columns are text."""

    format: str
    columns: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    on_new_column: str = "add"

    def option(self, name: str, default: Any = None) -> Any:
        folded = {key.lower(): value for key, value in self.options.items()}
        return folded.get(name.lower(), default)


@dataclass(frozen=True)
class QuarantinedRow:
    """A quarantined row: its reasons and its values."""

    reasons: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)
    malformed: str | None = None


@dataclass
class Expected:
    """The expected rows of a table and its quarantine. columns: the table's, without system columns."""

    columns: tuple[str, ...] = ()
    rows: list[dict[str, Any]] = field(default_factory=list)
    quarantined: list[QuarantinedRow] = field(default_factory=list)

    @property
    def rows_in(self) -> int:
        return len(self.rows) + len(self.quarantined)


class Misfit(Exception):  # noqa: N818 - a verdict on a value
    """A type cannot represent this value exactly."""


def read(content: bytes, declared: Declared, path: str = "a") -> Expected:
    """The expected rows of one delivered file. Raises ValueError for an unsupported format."""
    content = _unpacked(content, path)
    encoding = declared.option("encoding", declared.option("charset", "utf-8"))
    text = content.decode(encoding, errors="replace").removeprefix("\ufeff")
    match declared.format:
        case "csv":
            names, records = _csv(text, declared)
        case "json":
            names, records = _json(text, declared)
        case "fixed_width":
            names, records = _fixed_width(text, declared)
        case "xml":
            names, records = _xml(text, declared)
        case other:
            raise ValueError(f"the format {other} is not supported")
    return _typed(names, records, declared)


def _unpacked(content: bytes, path: str) -> bytes:
    match path.rpartition(".")[2]:
        case "gz":
            return gzip.decompress(content)
        case "bz2":
            return bz2.decompress(content)
        case "zst":
            with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
                return bytes(stream.read())
        case "zip":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                [member] = archive.namelist()
                return archive.read(member)
        case _:
            return content


def _typed(
    names: Sequence[str], records: Sequence[str | dict[str, str | None]], declared: Declared
) -> Expected:
    types = {name.lower(): kind for name, kind in declared.columns.items()}
    new = [name for name in names if name.lower() not in types]
    selected = [*declared.columns, *(new if declared.on_new_column == "add" or not types else ())]
    found = Expected(tuple(selected))
    for record in records:
        if isinstance(record, str):
            reasons = [MALFORMED, *([NOT_IN_ENCODING] if _REPLACEMENT in record else [])]
            found.quarantined.append(QuarantinedRow(tuple(reasons), malformed=record))
            continue
        given = {name.lower(): value for name, value in record.items()}
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for name in selected:
            text = given.get(name.lower())
            kind = types.get(name.lower(), "string")
            try:
                values[name] = None if text is None else cast(text, kind)
            except Misfit:
                values[name] = text
                wrong.append(f"cast({name} as {kind})")
        if any(
            _REPLACEMENT in str(values[name]) for name in selected if isinstance(given.get(name.lower()), str)
        ):
            wrong.insert(0, NOT_IN_ENCODING)
        if wrong:
            found.quarantined.append(QuarantinedRow(tuple(wrong), values))
        else:
            found.rows.append(values)
    return found


# CSV


def lines_of(text: str) -> list[str]:
    r"""The lines of a text with their ends, which are only \n, \r\n or \r."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text)


def _csv(text: str, declared: Declared) -> tuple[list[str], list[str | dict[str, str | None]]]:
    separator = str(declared.option("sep", declared.option("delimiter", ","))).replace("\\t", "\t")
    quote = str(declared.option("quote", '"'))
    comment = declared.option("comment")
    lines = lines_of(text)
    header: list[str] | None = list(declared.columns) if declared.option("header", True) is False else None
    records: list[str | dict[str, str | None]] = []
    for record, whole in _records(
        lines, separator, quote, comment, bool(declared.option("multiLine", False))
    ):
        blank = not record.strip(_BLANKS) and separator not in record
        if blank and (header is None or len(header) > 1):
            continue
        fields = fields_of(record, separator, quote) if whole else None
        if header is None:
            assert fields is not None, "the first line is not CSV"
            header = [value.strip() for value, _ in fields]
        elif fields is None or len(fields) != len(header):
            records.append(record)
        else:
            records.append(
                {name: _null_or(*value, declared) for name, value in zip(header, fields, strict=True)}
            )
    return header or [], records


def _null_or(value: str, quoted: bool, declared: Declared) -> str | None:
    null = str(declared.option("nullValue", ""))
    if not value:
        return None if not quoted else (str(declared.option("emptyValue", "")) if null else None)
    return None if value == null else value


def _records(
    lines: Sequence[str], separator: str, quote: str, comment: str | None, multiline: bool
) -> Iterator[tuple[str, bool]]:
    """Records without their final line end, and whether each is well formed."""
    at = 0
    while at < len(lines):
        record = lines[at]
        at += 1
        if comment and record.startswith(comment):
            continue
        while multiline and _state(record, separator, quote) == "open" and at < len(lines):
            record += lines[at]
            at += 1
        plain = re.sub(r"(?:\r\n|\r|\n)\Z", "", record)
        yield plain, _state(plain, separator, quote) == "whole"


def _state(record: str, separator: str, quote: str) -> str:
    """`whole`; `wrong` if text follows a closing quote; `open` if a quote is not closed."""
    body = re.sub(r"(?:\r\n|\r|\n)\Z", "", record)
    try:
        fields_of(body, separator, quote, raising=True)
    except EOFError:
        return "open"
    except ValueError:
        return "wrong"
    return "whole"


def fields_of(
    record: str, separator: str, quote: str, *, raising: bool = False
) -> list[tuple[str, bool]] | None:
    """A record's fields as in Python's strict csv.reader, and whether each was quoted; None if malformed.

    raising: raises EOFError for an unclosed quote, and ValueError for text after a closing quote.
    """
    found: list[tuple[str, bool]] = []
    at, end = 0, len(record)
    while True:
        if quote and record.startswith(quote, at):
            value, at = [], at + 1
            while True:
                close = record.find(quote, at)
                if close < 0:
                    if raising:
                        raise EOFError
                    return None
                value.append(record[at:close])
                at = close + 1
                if not record.startswith(quote, at):
                    break
                value.append(quote)
                at += 1
            found.append(("".join(value), True))
            if at < end and not record.startswith(separator, at):
                if raising:
                    raise ValueError(record)
                return None
        else:
            close = record.find(separator, at)
            close = end if close < 0 else close
            found.append((record[at:close], False))
            at = close
        if at >= end:
            return found
        at += len(separator)


# Fixed width


def _fixed_width(text: str, declared: Declared) -> tuple[list[str], list[str | dict[str, str | None]]]:
    """Fields by position. A shorter line lacks fields at its end; one with text beyond them is malformed."""
    names, widths = list(declared.columns), declared.option("widths")
    records: list[str | dict[str, str | None]] = []
    for line in lines_of(text):
        record = re.sub(r"(?:\r\n|\r|\n)\Z", "", line)
        if not record.strip(_BLANKS) and len(names) > 1:
            continue
        fields: dict[str, str | None] = {}
        at = 0
        for name, width in zip(names, widths, strict=True):
            fields[name] = record[at : at + width].strip(_BLANKS) or None
            at += width
        records.append(record if record[at:].strip(_BLANKS) else fields)
    return names, records


# XML


def _xml(text: str, declared: Declared) -> tuple[list[str], list[str | dict[str, str | None]]]:
    """The attributes and elements of each record. One with two values of a name is malformed."""
    found: dict[str, str] = {name.lower(): name for name in declared.columns}
    keys: set[str] = set()
    records: list[str | dict[str, str | None]] = []
    for element in ElementTree.fromstring(text):
        pairs: list[tuple[str, str | None]] = list(element.attrib.items())
        pairs += [(inner.tag, inner.text or None) for inner in element]
        names = [name.lower() for name, _ in pairs]
        if len(set(names)) < len(names):
            records.append(ElementTree.tostring(element, encoding="unicode"))
        elif not pairs:
            records.append("null")
        else:
            keys |= {name for name, _ in pairs}
            records.append(dict(zip(names, (value for _, value in pairs), strict=True)))
    for key in sorted(keys):
        found.setdefault(key.lower(), key)
    return list(found.values()), records


# JSON


def _json(text: str, declared: Declared) -> tuple[list[str], list[str | dict[str, str | None]]]:
    found: dict[str, str] = {name.lower(): name for name in declared.columns}
    keys: set[str] = set()
    records: list[str | dict[str, str | None]] = []
    for line in lines_of(text):
        document = line.rstrip("\r\n")
        if not document.strip(_SPACES):
            continue
        pairs = members_of(document)
        if pairs is None or len({key.lower() for key, _ in pairs}) < len(pairs):
            records.append(document)
        else:
            keys |= {key for key, _ in pairs}
            records.append({key.lower(): text_of(raw) for key, raw in pairs})
    for key in sorted(keys):
        found.setdefault(key.lower(), key)
    names = list(found.values())
    return names, records


_SPACE = re.compile(r"[ \t\r\n]*")


def members_of(document: str) -> list[tuple[str, str]] | None:
    """The keys of an object and the exact text of their values; None if the text is not one object."""
    decoder = json.JSONDecoder(object_pairs_hook=list)

    def skip(at: int) -> int:
        found = _SPACE.match(document, at)
        assert found is not None
        return found.end()

    try:
        at = skip(0)
        decoded, end = decoder.raw_decode(document, at)
    except (ValueError, RecursionError):
        return None
    lone = any(0xD800 <= ord(c) < 0xE000 for c in json.loads(f'"{_escapes(document)}"'))
    if document[at] != "{" or skip(end) != len(document) or lone or _depth(document) > DEPTH:
        return None
    assert isinstance(decoded, list)
    found: list[tuple[str, str]] = []
    at = skip(at + 1)
    while document[at] != "}":
        key, at = json.decoder.scanstring(document, at + 1, True)  # type: ignore[attr-defined]
        at = skip(skip(at) + 1)
        _, end = decoder.raw_decode(document, at)
        found.append((key, document[at:end]))
        at = skip(end)
        if document[at] == ",":
            at = skip(at + 1)
    return found


def _escapes(document: str) -> str:
    """The `\\u` escapes of a document, with a mark for the text between them."""
    found = re.findall(r"\\u[0-9a-fA-F]{4}|\\.|[^\\]+", document, re.DOTALL)
    return "".join(part if re.match(r"\\u....", part) else "-" for part in found)


def _depth(document: str) -> int:
    depth = most = 0
    for bracket in re.findall(r"[\[\]{}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", document)):
        depth += 1 if bracket in "[{" else -1
        most = max(most, depth)
    return most


def text_of(raw: str) -> str | None:
    """A JSON value as text: a string without its quotes, null as None, other values verbatim."""
    if raw == "null":
        return None
    return json.loads(raw) if raw.startswith('"') else raw


# Types


def cast(text: str, kind: str) -> Any:
    """The value of a text in a type of Spark SQL. Raises Misfit if it cannot be represented exactly."""
    name, arguments = _parts(kind)
    match name:
        case "string":
            return text
        case "varchar" | "char":
            if len(text) > int(arguments[0]):
                raise Misfit
            return text
        case "binary":
            return text.encode()
        case "boolean":
            return _boolean(text)
        case "tinyint" | "byte" | "smallint" | "short" | "int" | "integer" | "bigint" | "long":
            return _whole(text, _BITS[name])
        case "decimal" | "dec" | "numeric":
            precision, scale = [*map(int, arguments), *(10, 0)[len(arguments) :]]
            return _decimal(text, precision, scale)
        case "float" | "real" | "double":
            return _floating(text, single=name != "double")
        case "date":
            return _date(text)
        case "timestamp" | "timestamp_ltz" | "timestamp_ntz":
            return _timestamp(text, zones=name != "timestamp_ntz")
        case "array":
            return [None if item is None else cast(item, arguments[0]) for item in _items(text)]
        case "map":
            pairs = [
                (cast(key, arguments[0]), None if item is None else cast(item, arguments[1]))
                for key, item in _object(text).items()
            ]
            if len({key for key, _ in pairs}) < len(pairs):
                raise Misfit
            return tuple(sorted(pairs, key=repr))
        case "struct":
            given = _object(text)
            fields = [re.split(r"\s*:\s*|\s+", argument.strip(), maxsplit=1) for argument in arguments]
            return {
                key: None if given.get(key) is None else cast(str(given[key]), inner) for key, inner in fields
            }
        case _:
            raise ValueError(f"the type {kind} is not supported")


_BITS = {
    "tinyint": 8,
    "byte": 8,
    "smallint": 16,
    "short": 16,
    "int": 32,
    "integer": 32,
    "bigint": 64,
    "long": 64,
}
_TRUE = {"t", "true", "y", "yes", "1"}
_FALSE = {"f", "false", "n", "no", "0"}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")


def _parts(kind: str) -> tuple[str, list[str]]:
    found = re.match(r"\s*(\w+)\s*(?:[<(](.*)[>)])?\s*\Z", kind, re.DOTALL)
    assert found is not None, kind
    arguments: list[str] = []
    depth, part = 0, ""
    for character in found.group(2) or "":
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            arguments.append(part.strip())
            part = ""
        else:
            part += character
    return found.group(1).lower(), [*arguments, part.strip()] if part.strip() else arguments


def _boolean(text: str) -> bool:
    word = text.strip(_BLANKS).lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise Misfit


def _whole(text: str, bits: int) -> int:
    digits = text.strip(_BLANKS)
    if not re.fullmatch(r"[+-]?[0-9]+", digits) or not -(2 ** (bits - 1)) <= int(digits) < 2 ** (bits - 1):
        raise Misfit
    return int(digits)


def _decimal(text: str, precision: int, scale: int) -> Decimal:
    digits = text.strip(_BLANKS)
    if not _NUMBER.match(digits):
        raise Misfit
    value = Decimal(digits)
    fitting = _EXACT.copy()
    fitting.traps[Inexact] = True
    try:
        value = value.quantize(Decimal(1).scaleb(-scale), context=fitting)
    except (Inexact, InvalidOperation):
        raise Misfit from None
    if len(value.as_tuple().digits) > precision and value:
        raise Misfit
    return value or abs(value)


def _floating(text: str, *, single: bool) -> str:
    digits = text.strip(_BLANKS)
    special = re.fullmatch(r"([+-]?)(nan|inf|infinity)", digits, re.IGNORECASE)
    if special:
        if special.group(2).lower() == "nan":
            if special.group(1):
                raise Misfit
            return number(float("nan"))
        return number(float(digits))
    if not _NUMBER.match(digits):
        raise Misfit
    value = _nearest_single(digits) if single else float(digits)
    zero = not re.search("[1-9]", re.split("[eE]", digits)[0])
    if value in (float("inf"), float("-inf")) or (value == 0 and not zero):
        raise Misfit
    return number(value)


def _nearest_single(digits: str) -> float:
    try:
        near = struct.unpack(">f", struct.pack(">f", float(digits)))[0]
    except OverflowError:
        return float("inf")
    if near in (float("inf"), float("-inf")):
        return float(near)
    exact = Fraction(Decimal(digits))
    bits = struct.unpack(">i", struct.pack(">f", near))[0]
    around = []
    for step in (-1, 0, 1):
        if 0 <= (bits & 0x7FFFFFFF) + step < 0x7F800000:
            other = struct.unpack(">f", struct.pack(">i", bits + step))[0]
            around.append((abs(Fraction(other) - exact), (bits + step) & 1, step, other))
    return float(min(around)[3])


def number(value: float) -> str:
    """A float as text that distinguishes all values, including NaN and -0.0."""
    return "nan" if isnan(value) else value.hex()


_DAY = r"([+-]?)([0-9]{4,7})-([0-9]{1,2})-([0-9]{1,2})"
_CLOCK = r"([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\.([0-9]*))?)?"


def _date(text: str) -> str:
    found = re.fullmatch(rf"{_DAY}(?:[ T]{_CLOCK})?", text.strip(_SPACES))
    if not found or any(int(part or 0) for part in found.groups()[4:]):
        raise Misfit
    if any(len(part or "") > 2 for part in found.groups()[4:7]):
        raise Misfit
    year, month, day = _day(found)
    if abs(year) > 5_000_000:
        raise Misfit
    return _written(year, month, day)


def _day(found: re.Match[str]) -> tuple[int, int, int]:
    year, month, day = int(found.group(1) + found.group(2)), int(found.group(3)), int(found.group(4))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not 1 <= month <= 12 or not 1 <= day <= days[month - 1]:
        raise Misfit
    return year, month, day


def _written(year: int, month: int, day: int) -> str:
    sign = "-" if year < 0 else "+" if year > 9999 else ""
    return f"{sign}{abs(year):04d}-{month:02d}-{day:02d}"


def _timestamp(text: str, *, zones: bool) -> str:
    found = re.fullmatch(rf"{_DAY}(?:[ T]{_CLOCK}(.*))?", text.strip(_SPACES), re.DOTALL)
    if not found:
        raise Misfit
    year, month, day = _day(found)
    hour, minute, second = (int(part or 0) for part in found.groups()[4:7])
    fraction = (found.group(8) or "").rstrip("0")
    zone = (found.group(9) or "").strip(_SPACES)
    if hour > 23 or minute > 59 or second > 59 or len(fraction) > 6 or (zone and not zones):
        raise Misfit
    if abs(year) > 290_000:
        raise Misfit
    # The calendar repeats every 400 years, so that the computation can use years that Python supports.
    periods, within = divmod(year, 400)
    moment = datetime(within + 2000, month, day, hour, minute, second)
    if zone:
        moment = moment.replace(tzinfo=_zone(zone)).astimezone(UTC).replace(tzinfo=None)
    year = moment.year - 2000 + 400 * periods
    shown = f".{fraction}" if fraction else ""
    return f"{_written(year, moment.month, moment.day)} {moment:%H:%M:%S}{shown}"


def _zone(text: str) -> timezone | ZoneInfo:
    if text in ("Z", "UTC", "GMT"):
        return UTC
    found = re.fullmatch(r"([+-])([0-9]{2}):([0-9]{2})", text)
    if found:
        offset = timedelta(hours=int(found.group(2)), minutes=int(found.group(3)))
        if offset > timedelta(hours=18):
            raise Misfit
        return timezone(-offset if found.group(1) == "-" else offset)
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Misfit from None


def _items(text: str) -> list[str | None]:
    """The items of a JSON array, each as text."""
    if not text.strip(_SPACES).startswith("["):
        raise Misfit
    found = members_of(f'{{"items":{text}}}')
    if found is None:
        raise Misfit
    items: list[str | None] = []
    decoder, at = json.JSONDecoder(object_pairs_hook=list), text.index("[") + 1
    while True:
        at += len(text[at:]) - len(text[at:].lstrip(_SPACES))
        if text[at] in ",]":
            if text[at] == "]":
                return items
            at += 1
            continue
        _, end = decoder.raw_decode(text, at)
        items.append(text_of(text[at:end]))
        at = end


def _object(text: str) -> dict[str, str | None]:
    """The members of a JSON object, each as text."""
    pairs = members_of(text)
    if pairs is None or len({key for key, _ in pairs}) < len(pairs):
        raise Misfit
    return {key: text_of(raw) for key, raw in pairs}


# Spark


def observed(frame: DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a table in this module's forms."""
    from pyspark.sql.types import StructType

    schema = StructType([frame.schema[name] for name in columns])
    texts = frame.selectExpr(
        *[f"{_for_python(f'`{field.name}`', field.dataType)} AS `{field.name}`" for field in schema]
    )
    return [
        {field.name: _seen(row[field.name], field.dataType) for field in schema} for row in texts.collect()
    ]


def _for_python(value: str, kind: Any, depth: int = 0) -> str:
    """SQL of a value with dates and times as text, since Python's end with year 9999."""
    from pyspark.sql import types as t

    match kind:
        case t.DateType() | t.TimestampType() | t.TimestampNTZType():
            return f"CAST({value} AS string)"
        case t.ArrayType():
            item = f"x{depth}"
            return f"transform({value}, {item} -> {_for_python(item, kind.elementType, depth + 1)})"
        case t.MapType():
            pair = f"x{depth}"
            key = _for_python(f"{pair}.key", kind.keyType, depth + 1)
            item = _for_python(f"{pair}.value", kind.valueType, depth + 1)
            return f"transform(map_entries({value}), {pair} -> struct({key} AS key, {item} AS value))"
        case t.StructType():
            parts = ", ".join(
                f"'{part.name}', {_for_python(f'{value}.`{part.name}`', part.dataType, depth + 1)}"
                for part in kind
            )
            return f"IF({value} IS NULL, NULL, named_struct({parts}))"
        case _:
            return value


def _seen(value: Any, kind: Any) -> Any:
    from pyspark.sql import types as t

    if value is None:
        return None
    match kind:
        case t.FloatType() | t.DoubleType():
            return number(value)
        case t.BinaryType():
            return bytes(value)
        case t.ArrayType():
            return [_seen(item, kind.elementType) for item in value]
        case t.MapType():
            pairs = [(_seen(pair.key, kind.keyType), _seen(pair.value, kind.valueType)) for pair in value]
            return tuple(sorted(pairs, key=repr))
        case t.StructType():
            return {part.name: _seen(value[part.name], part.dataType) for part in kind}
        case _:
            return value
