"""Suggests how values are written that could not be cast: the pattern of a date, the marks in a number, an array of JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from goldsmith.project.types import family, is_integral

_REASON = re.compile(r"^cast\((?P<column>.+) as (?P<type>[^()]+(?:\(.*\))?)\)$")
_DAYS = {
    "dd/MM/yyyy": "%d/%m/%Y", "MM/dd/yyyy": "%m/%d/%Y", "dd.MM.yyyy": "%d.%m.%Y", "dd-MM-yyyy": "%d-%m-%Y",
    "yyyyMMdd": "%Y%m%d", "yyyy/MM/dd": "%Y/%m/%d", "yyyy.MM.dd": "%Y.%m.%d", "dd/MM/yy": "%d/%m/%y",
    "dd.MM.yy": "%d.%m.%y", "dd MMM yyyy": "%d %b %Y", "MMM dd, yyyy": "%b %d, %Y",
    "d/M/yyyy": "%d/%m/%Y", "M/d/yyyy": "%m/%d/%Y", "d.M.yyyy": "%d.%m.%Y",
}  # fmt: skip
"""Spark's patterns of days, each with Python's, the more probable ones first."""
_AMBIGUOUS = {"dd/MM/yyyy": "MM/dd/yyyy", "d/M/yyyy": "M/d/yyyy"}
"""Patterns that also read days written with the month first."""
_TIMES = {"": "", " HH:mm": " %H:%M", " HH:mm:ss": " %H:%M:%S"}
_MARKS = (
    (",", None),
    (",", "."),
    (".", ","),
    (",", " "),
    (".", "'"),
)
"""Decimal marks with marks between thousands, the more probable ones first."""


def format_hints(rows: Sequence[tuple[Sequence[str], str]]) -> Iterator[str]:
    """Hints for columns whose values could not be cast, and for JSON arrays that were read by lines.

    rows: the reasons of each row, and the row as JSON.
    """
    values: dict[tuple[str, str], list[str]] = {}
    for reasons, row in rows:
        found = json.loads(row)
        for reason in reasons:
            match = _REASON.match(reason)
            if match is not None and isinstance(found, Mapping) and match["column"] in found:
                values.setdefault((match["column"], match["type"]), []).append(str(found[match["column"]]))
    if any("malformed" in reasons and _begins_array(row) for reasons, row in rows):
        yield "If the JSON files are arrays of objects, not a document per line, declare `options: {multiLine: true}`."
    for (column, kind), texts in values.items():
        keys = written_as(kind, texts)
        if keys:
            declared = f'"{kind}"' if "," in kind else kind
            or_else = "".join(f", or with `{other}`" for other in keys[1:])
            yield f"Values such as `{texts[0]}` are read by `{column}: {{type: {declared}, {keys[0]}}}`{or_else}."


def _begins_array(row: str) -> bool:
    """Whether a malformed record is the first line of an array of objects."""
    return re.match(r"\s*\[\s*(\{|$)", str(json.loads(row).get("_malformed"))) is not None


def written_as(kind: str, texts: Sequence[str]) -> tuple[str, ...]:
    """The keys of a column that read all these texts as the type `kind`: the most probable ones, and what else they may be.

    () if none are known.
    """
    match family(kind):
        case "date":
            return _patterns(texts, {"": ""})
        case "timestamp":
            return _patterns(texts, _TIMES)
        case "number":
            return _marks(texts, whole=is_integral(kind))
        case _:
            return ()


def _patterns(texts: Sequence[str], times: Mapping[str, str]) -> tuple[str, ...]:
    """The pattern of a date or time; two if the day and the month may be exchanged."""
    for day, python_day in _DAYS.items():
        for time, python_time in times.items():
            pattern = day + time
            if not all(_is_written(text, pattern, python_day + python_time) for text in texts):
                continue
            other = _AMBIGUOUS.get(day)
            exchanged = other is not None and all(_parses(text, _DAYS[other] + python_time) for text in texts)
            found = [pattern, f"{other}{time}"] if exchanged else [pattern]
            return tuple(
                f'format: "{each}"' if {":", ","} & set(each) else f"format: {each}" for each in found
            )
    return ()


def _marks(texts: Sequence[str], *, whole: bool) -> tuple[str, ...]:
    """The marks of numbers. whole: of a type without decimals."""
    for decimal, thousands in _MARKS:
        if whole and thousands is None:
            continue
        between = r"[ \u00a0\u202f]" if thousands == " " else re.escape(thousands or "")
        grouped = rf"\d{{1,3}}(?:{between}\d{{3}})*" if thousands else r"\d+"
        # Without marks between thousands, each number has the decimal mark: otherwise it could be cast.
        fraction = "" if whole else rf"{re.escape(decimal)}\d+"
        optional = f"(?:{fraction})?" if fraction and thousands else fraction
        if all(re.fullmatch(rf"[+-]?{grouped}{optional}", text) for text in texts):
            keys = [f'decimal: "{decimal}"'] if decimal != "." and not whole else []
            keys += [f'thousands: "{thousands}"'] if thousands else []
            return (", ".join(keys),)
    return ()


def _is_written(text: str, pattern: str, python: str) -> bool:
    # Python also accepts fewer digits than the pattern has.
    if not re.search(r"(?<![dM])[dM](?![dM])", pattern) and len(text) != len(pattern):
        return False
    return _parses(text, python)


def _parses(text: str, python: str) -> bool:
    try:
        datetime.strptime(text, python)
    except ValueError:
        return False
    return True
