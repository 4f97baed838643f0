"""Checks how columns are written in delivered files: the keys fit the type, and patterns can be parsed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from goldsmith.errors import DeclarationError
from goldsmith.project.models import Column
from goldsmith.project.tables import Table
from goldsmith.project.text_formats import EXAMPLE, TextFormat, pattern_mistakes
from goldsmith.project.types import family, is_integral, word_of

_REMOVE = "Remove it."


def text_formats(table: Table) -> Iterator[DeclarationError]:
    """GS103 for values that are not valid, GS110 for keys without effect."""
    for name, column in table.spec.columns.items():
        if column.text is None:
            continue
        for key in _given(column):
            mistake = (
                _mistake(key, column, column.text)
                if table.origin
                else ("GS110", "is for bronze tables only: it describes delivered text", _REMOVE)
            )
            if mistake is not None:
                code, message, hint = mistake
                where = table.where("columns", name, key)
                yield DeclarationError(
                    code, f"`{key}` of the column `{name}` {message}.", where=where, hint=hint
                )


def _given(column: Column) -> list[str]:
    return [field.name for field in fields(TextFormat) if field.name in column.model_fields_set]


def _mistake(key: str, column: Column, text: TextFormat) -> tuple[str, str, str] | None:
    """Code, message and hint of a mistake in one key."""
    kind, group = word_of(column.type), family(column.type)
    match key:
        case "format":
            if group not in ("date", "timestamp"):
                hint = f"{EXAMPLE} Numbers take `decimal` and `thousands`."
                return "GS110", "needs a column of the type date, timestamp or timestamp_ntz", hint
            for problem in pattern_mistakes(text.format or "", kind or ""):
                return "GS103", problem, EXAMPLE
        case "decimal" | "thousands":
            if group != "number":
                return (
                    "GS110",
                    "needs a column of a numeric type",
                    'As in `amount: {type: "decimal(9,2)", decimal: ","}`.',
                )
            if text.thousands == (text.decimal or ".") and not is_integral(column.type):
                return (
                    "GS110",
                    "marks both decimals and thousands",
                    'Declare both: `decimal: ",", thousands: "."`.',
                )
            if key == "decimal" and is_integral(column.type):
                return "GS110", "has no effect on whole numbers", _REMOVE
        case "timezone":
            if kind != "timestamp":
                return (
                    "GS110",
                    "needs a column of the type timestamp",
                    "As in `at: {type: timestamp, timezone: Europe/Berlin}`.",
                )
            if text.has_zone:
                return "GS110", "has no effect: the pattern in `format` has a time zone", _REMOVE
            try:
                ZoneInfo(text.timezone or "")
            except (ZoneInfoNotFoundError, ValueError, OSError):
                return (
                    "GS103",
                    f"is `{text.timezone}`, which is not a time zone",
                    "Write one such as Europe/Berlin.",
                )
    return None
