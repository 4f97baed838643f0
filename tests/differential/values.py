"""The types of columns and their values: ordinary ones that repeat, and the extremes of each type."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

Value = Any
"""A Python value; a date is an int of days, a timestamp an int of microseconds since 1970."""

DAY = 86_400_000_000


@dataclass(frozen=True)
class Kind:
    """A Spark type. ordinary: a few values, so that rows match. extreme: the ends of its range."""

    name: str
    ordinary: tuple[Value, ...]
    extreme: tuple[Value, ...]
    wrong: tuple[str, ...] = ()
    """Texts that cannot be cast to it without loss."""

    @property
    def nested(self) -> bool:
        return self.name.startswith(("array", "map", "struct", "variant"))

    @property
    def groupable(self) -> bool:
        return "map<" not in self.name and self.name != "variant"

    @property
    def number(self) -> bool:
        return self.whole or self.name.startswith("decimal")

    @property
    def whole(self) -> bool:
        return self.name in ("tinyint", "smallint", "int", "bigint")

    @property
    def floating(self) -> bool:
        return "float" in self.name or "double" in self.name

    @property
    def text(self) -> bool:
        return self.name == "string" or self.name.startswith(("char", "varchar"))


def days(year: int, month: int, day: int) -> int:
    """Days since 1970 in the proleptic Gregorian calendar, for any year."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def civil(day: int) -> tuple[int, int, int]:
    """Year, month and day of a number of days since 1970."""
    era, of_era = divmod(day + 719_468, 146_097)
    years = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * years + years // 4 - years // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    return years + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def _whole(name: str, bits: int) -> Kind:
    least, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return Kind(name, (1, 2, 3, 4, 0), (least, most, -1), ("x", "1.5", str(most + 1), "1e2", "", " 1", "0x1"))


def _scaled(digits: int, scale: int) -> Decimal:
    """A decimal with all its digits, independent of the context's precision."""
    return Decimal((0, tuple(map(int, str(digits))), -scale))


def _decimal(digits: int, scale: int) -> Kind:
    most, one = _scaled(10**digits - 1, scale), _scaled(1, scale)
    ordinary = tuple(_scaled(value * 10**scale // 2, scale) for value in (2, 4, 3))
    wrong = ("x", f"1{'0' * (digits - scale)}", "0." + "1" * (scale + 1), "1,5", "NaN")
    return Kind(
        f"decimal({digits},{scale})", ordinary, (most, most.copy_negate(), one, _scaled(0, scale)), wrong
    )


_DATES = (days(1, 1, 1), days(9999, 12, 31), days(20240, 1, 1), days(1582, 10, 10), days(1900, 1, 1))
_MOMENTS = (days(1, 1, 1) * DAY, days(9999, 12, 31) * DAY + DAY - 1, days(20240, 1, 1) * DAY, -1)
_TEXTS = (
    "",
    " ",
    "NULL",
    "null",
    "é",
    "🙂",
    "\t",
    "\x07\x1b[31m",
    "it's",
    'a"b',
    "a\\b",
    "a`b",
    "%_",
    "-0",
    "ﬁ",
    "A",
)
_FLOATS = (math.nan, -0.0, 0.0, math.inf, -math.inf)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("boolean", (True, False), (), ("maybe", "2")),
        _whole("tinyint", 8),
        _whole("smallint", 16),
        _whole("int", 32),
        _whole("bigint", 64),
        Kind("float", (1.0, 2.5), (*_FLOATS, 3.4028234663852886e38, 1.401298464324817e-45), ("x", "1,5")),
        Kind("double", (1.0, 2.5), (*_FLOATS, 1.7976931348623157e308, 5e-324), ("x", "1e400x")),
        _decimal(9, 2),
        _decimal(10, 0),
        _decimal(38, 0),
        _decimal(38, 18),
        _decimal(30, 5),
        Kind("string", ("a", "b", "c"), _TEXTS),
        Kind("varchar(5)", ("a", "b"), ("", "abcde", "éé"), ("abcdef",)),
        Kind("binary", (b"a", b"b"), (b"", b"\x00", b"\xff\xfe", b"'")),
        Kind(
            "date", (days(2024, 1, 1), days(2024, 1, 2)), _DATES, ("x", "2024-02-30", "2024-01-01T10:00:00")
        ),
        Kind(
            "timestamp", (days(2024, 1, 1) * DAY, days(2024, 1, 1) * DAY + 1), _MOMENTS, ("x", "2024-13-01")
        ),
        Kind(
            "timestamp_ntz",
            (days(2024, 1, 1) * DAY, days(2024, 1, 1) * DAY + 1),
            _MOMENTS,
            ("x", "2024-01-01 10:00:00+01:00"),
        ),
        Kind("array<int>", ([1], [1, 2]), ([], [None], [2**31 - 1])),
        Kind("array<string>", (["a"], ["b", "a"]), ([], [None], ["", "é"])),
        Kind("array<double>", ([1.0],), ([], [-0.0], [0.0], [math.nan])),
        Kind("struct<a:int,b:string>", ({"a": 1, "b": "x"}, {"a": 2, "b": None}), ({"a": None, "b": ""},)),
        Kind(
            "struct<d:decimal(38,18),t:timestamp>",
            ({"d": _scaled(15 * 10**17, 18), "t": 0},),
            ({"d": None, "t": _MOMENTS[2]}, {"d": _scaled(10**38 - 1, 18), "t": None}),
        ),
        Kind("map<string,int>", ({"a": 1}, {"b": 2}), ({}, {"": None})),
        Kind("map<int,string>", ({1: "a"}, {2: "b"}), ({}, {-(2**31): ""})),
        Kind("variant", (1, "a", {"a": 1}), (None, [1, None], {"b": Decimal("0.10")})),
    )
}
"""Every type that a declared column can have, by Spark's name."""

SCALARS = tuple(name for name, kind in KINDS.items() if not kind.nested)


def kind_of(name: str) -> Kind:
    """The kind of a type; it has no values for types that only queries produce."""
    return KINDS.get(name) or Kind(name, (), ())


def pick(random: Random, kind: Kind, *, extremes: float = 0.2, nulls: float = 0.1) -> Value:
    """A value of a type."""
    drawn = random.random()
    if drawn < nulls:
        return None
    pool = kind.extreme if kind.extreme and drawn < nulls + extremes else kind.ordinary
    return random.choice(pool)


def plain_text(kind: str, value: Value) -> str:
    """The text that is cast to a value."""
    if isinstance(value, bool):
        return str(value).lower()
    if kind == "date":
        return _date_text(value)
    if kind.startswith("timestamp"):
        day, micros = divmod(value, DAY)
        seconds, micros = divmod(micros, 1_000_000)
        time = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        zone = "Z" if kind == "timestamp" and micros else ""
        return f"{_date_text(day)} {time}" + (f".{micros:06}" if micros else "") + zone
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value).replace("inf", "Infinity")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.decode() if isinstance(value, bytes) else str(value)


def _date_text(day: int) -> str:
    year, month, of_month = civil(day)
    return f"{'+' if year > 9999 else ''}{year:04}-{month:02}-{of_month:02}"


def json_text(kind: str, value: Value) -> str:
    """A value as JSON, with all digits of numbers."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        kinds = fields_of(kind)
        pairs = (
            f"{json.dumps(str(key))}: {json_text(kinds.get(key, _inner(kind)), value[key])}" for key in value
        )
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(json_text(_inner(kind), item) for item in value) + "]"
    if isinstance(value, bool | int | Decimal) and not kind.startswith(("date", "timestamp")):
        return plain_text(kind, value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    return json.dumps(plain_text(kind, value), ensure_ascii=False)


def _inner(kind: str) -> str:
    """The type of an array's items or a map's values."""
    inside = kind[kind.find("<") + 1 : -1] if "<" in kind else ""
    return inside.partition(",")[2] if kind.startswith("map") else inside


def fields_of(kind: str) -> dict[str, str]:
    """The fields of a struct of KINDS."""
    if not kind.startswith("struct<"):
        return {}
    inside = kind[7:-1].replace("(38,18)", "(38;18)")
    pairs = (part.partition(":") for part in inside.split(","))
    return {name: of.replace(";", ",") for name, _, of in pairs}


def stored(value: Value) -> Any:
    """A value as plain JSON, with a marker for types that JSON lacks."""
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    if isinstance(value, float):
        return {"$float": value.hex()}
    if isinstance(value, dict):
        return {"$pairs": [[stored(key), stored(item)] for key, item in value.items()]}
    return [stored(item) for item in value] if isinstance(value, list) else value


def read_back(value: Any) -> Value:
    """The value of the result of `stored`."""
    if isinstance(value, list):
        return [read_back(item) for item in value]
    if not isinstance(value, dict):
        return value
    (mark, content), *_ = value.items()
    if mark == "$decimal":
        return Decimal(content)
    if mark == "$bytes":
        return bytes.fromhex(content)
    if mark == "$float":
        return float.fromhex(content)
    return {read_back(key): read_back(item) for key, item in content}


def types_for(format_: str) -> Sequence[str]:
    """The types that a column of files of a format can have."""
    if format_ in ("csv", "fixed_width", "xml"):
        return SCALARS
    if format_ == "avro":
        # The keys of Avro's maps are text.
        return [name for name in KINDS if name not in ("variant", "varchar(5)", "map<int,string>")]
    return [name for name in KINDS if format_ == "json" or name not in ("variant", "varchar(5)")]
