"""Spark's types as text: the canonical name of each, its aliases and its family.

The only list of Spark's types in this project. `column_types` parses whole types, including nested ones.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Literal

Family = Literal["boolean", "number", "text", "date", "timestamp", "binary", "variant", "nested"]

FAMILIES: Mapping[str, Family] = {
    "boolean": "boolean",
    "tinyint": "number",
    "smallint": "number",
    "int": "number",
    "bigint": "number",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "string": "text",
    "char": "text",
    "varchar": "text",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_ntz": "timestamp",
    "binary": "binary",
    "variant": "variant",
    "array": "nested",
    "map": "nested",
    "struct": "nested",
}
"""The family of each type, by the name that Spark prints."""

ALIASES: Mapping[str, str] = {
    "byte": "tinyint",
    "short": "smallint",
    "integer": "int",
    "long": "bigint",
    "real": "float",
    "dec": "decimal",
    "numeric": "decimal",
    "character": "char",
    "timestamp_ltz": "timestamp",
}
"""Other names that Spark accepts, with the name that it prints."""

SIZES: Mapping[str, int] = {"decimal": 2, "char": 1, "varchar": 1}
"""The greatest number of sizes in parentheses that a type takes."""

NEEDS_SIZE = frozenset({"char", "varchar"})

_WIDER: Mapping[str, tuple[str, ...]] = {
    "tinyint": ("smallint", "int", "bigint"),
    "smallint": ("int", "bigint"),
    "int": ("bigint",),
    "float": ("double",),
    "date": ("timestamp_ntz",),
}

_DECIMAL = (10, 0)
"""The default precision and scale of a decimal."""

_WORD = re.compile(r"\s*([a-z_]+)", re.IGNORECASE)
_SIZED = re.compile(r"\s*[a-z_]+\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*", re.IGNORECASE)


def word_of(text: str | None) -> str | None:
    """The name that Spark prints for the outermost type of a text; None if it is not a type."""
    found = _WORD.match(text or "")
    word = found[1].lower() if found else ""
    word = ALIASES.get(word, word)
    return word if word in FAMILIES else None


def family(text: str | None) -> Family | None:
    """The family of a type; None if it is unknown or not a type."""
    word = word_of(text)
    return FAMILIES[word] if word is not None else None


def sizes_of(text: str) -> tuple[int, ...] | None:
    """The sizes in parentheses, () without any; None for nested types and for text that is not a type."""
    found = _SIZED.fullmatch(text)
    return tuple(int(size) for size in found.groups() if size is not None) if found else None


def decimal_of(text: str) -> tuple[int, int]:
    """The precision and scale of a decimal."""
    sizes = sizes_of(text) or ()
    precision, scale = sizes + _DECIMAL[len(sizes) :]
    return precision, scale


def widens(narrow: str, wide: str) -> bool:
    """Whether Delta can widen a column of one type to the other one, which has all its values.

    These are the changes that an append makes: https://docs.delta.io/latest/delta-type-widening.html
    """
    word, other = word_of(narrow), word_of(wide)
    if word == other == "decimal":
        (precision, scale), (wider, greater) = decimal_of(narrow), decimal_of(wide)
        fits = greater >= scale and wider - greater >= precision - scale
        return fits and (precision, scale) != (wider, greater)
    return word is not None and other in _WIDER.get(word, ())


def widest(kinds: Collection[str]) -> str:
    """The type that has the values of all these types: the widest one, else `string`."""
    for wide in kinds:
        if all(kind == wide or widens(kind, wide) for kind in kinds):
            return wide
    return "string"


def is_integral(text: str | None) -> bool:
    """True for whole numbers."""
    return word_of(text) in ("tinyint", "smallint", "int", "bigint")


def is_temporal(text: str | None) -> bool:
    """True for dates and times."""
    return family(text) in ("date", "timestamp")


def is_single(text: str | None) -> bool:
    """True for types whose values can be grouped and shown in a cell, and for unknown types."""
    return family(text) not in ("nested", "variant", "binary")
