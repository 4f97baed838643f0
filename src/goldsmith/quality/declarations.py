"""Declared expectations: their mistakes, their descriptions, and whether they apply to rows or to the batch.

This module needs no Spark, so that declarations can be checked without it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from goldsmith.project.expectations import Expectation
from goldsmith.project.hints import hint_for, nearest
from goldsmith.project.sql.expression import check_expression
from goldsmith.quality.kinds import GX_KINDS, GX_PREFIXES, KINDS, UNSUPPORTED, Kind, is_bound, is_number

_SUBJECT = re.compile(r"^expect_(select_)?(column_(pair_)?(values_)?)?")


def is_batch(expectation: Expectation) -> bool:
    """Whether the expectation applies to the batch as a whole: unique, counts, means, any with `mostly`."""
    kind = KINDS.get(expectation.kind)
    return "mostly" in expectation.arguments or (kind is not None and kind.batch)


def needs_gx(expectation: Expectation) -> bool:
    """Whether only Great Expectations can compile the expectation (the extra `gx`)."""
    kind = expectation.kind
    if kind in KINDS or kind in UNSUPPORTED:
        return False
    return kind in GX_KINDS or (kind.startswith(GX_PREFIXES) and _near_kind(kind) is None)


def reference(expectation: Expectation) -> tuple[str, str] | None:
    """The table and key column of `expect_column_values_to_exist_in`; None for other kinds."""
    arguments = expectation.arguments
    if expectation.kind != "expect_column_values_to_exist_in" or not isinstance(arguments.get("table"), str):
        return None
    return arguments["table"], str(arguments.get("key") or arguments.get("column"))


def describe(expectation: Expectation) -> str:
    """The declared description, or one derived from the kind and its arguments."""
    if expectation.description:
        return expectation.description
    if expectation.kind == "condition":
        return str(expectation.arguments.get("condition"))
    named = {"column", "column_A", "column_B", "column_list"}
    rest = ", ".join(f"{key} {value}" for key, value in expectation.arguments.items() if key not in named)
    words = _SUBJECT.sub("", expectation.kind).replace("_", " ")
    subject = ", ".join(expectation.columns)
    return " ".join(part for part in (subject, words, f"({rest})" if rest else "") if part)


@dataclass(frozen=True)
class Mistake:
    """A mistake in the declaration of an expectation.

    code: of goldsmith.errors. argument: the invalid argument; None for the expectation as a whole.
    """

    code: str
    message: str
    hint: str | None = None
    argument: str | None = None


def problems(expectation: Expectation, columns: Collection[str] | None) -> list[str]:
    """The mistakes in an expectation as messages; see `mistakes`."""
    return [_in_one(mistake) for mistake in mistakes(expectation, columns)]


def mistakes(expectation: Expectation, columns: Collection[str] | None) -> list[Mistake]:
    """The mistakes in an expectation.

    columns: the table's columns; None if they are unknown. Great Expectations validates the arguments of
    expectations that only it can compile.
    """
    found: list[Mistake] = []
    kind = KINDS.get(expectation.kind)
    if kind is not None:
        found += _argument_mistakes(expectation, kind)
    elif expectation.kind in UNSUPPORTED:
        return [Mistake("GS102", f"`{expectation.kind}` cannot be used: {UNSUPPORTED[expectation.kind]}")]
    elif not needs_gx(expectation):
        unknown = f"`{expectation.kind}` is not a known expectation"
        return [Mistake("GS102", unknown, _did_you_mean(_near_kind(expectation.kind)))]
    if expectation.otherwise in ("drop", "quarantine") and is_batch(expectation):
        reason = "has `mostly`" if "mostly" in expectation.arguments else "applies to the batch as a whole"
        message = f"`{expectation.kind}` {reason} and cannot {expectation.otherwise} rows"
        found.append(Mistake("GS110", message, "Use `otherwise: warn` or `otherwise: fail`."))
    if columns is not None:
        for argument, name in _named_columns(expectation):
            if not _exists(name, columns):
                found.append(_unknown_column(name, columns, argument))
    if expectation.kind == "condition" and isinstance(expectation.arguments.get("condition"), str):
        found += _condition_mistakes(expectation.arguments["condition"], columns)
    return found


def _in_one(mistake: Mistake) -> str:
    if mistake.hint is None:
        return mistake.message
    return f"{mistake.message}; {mistake.hint[0].lower()}{mistake.hint[1:]}"


def _named_columns(expectation: Expectation) -> list[tuple[str, str]]:
    """The columns that an expectation names, as pairs of argument and column."""
    arguments = expectation.arguments
    named = [(key, arguments.get(key)) for key in ("column", "column_A", "column_B")]
    listed = arguments.get("column_list")
    named += [("column_list", name) for name in (listed if isinstance(listed, list) else [])]
    return [(key, name) for key, name in named if isinstance(name, str)]


def _argument_mistakes(expectation: Expectation, kind: Kind) -> list[Mistake]:
    found: list[Mistake] = []
    given = expectation.arguments
    for name, value in given.items():
        argument = kind.arguments.get(name)
        if argument is None:
            message = f"`{expectation.kind}` takes no `{name}`"
            found.append(Mistake("GS102", message, _hint_for_unknown(name, kind), name))
        elif not (argument.accepts(value) or (value is None and not argument.required)):
            message = f"`{name}` of `{expectation.kind}` takes {argument.takes}, not {value!r}"
            hint = _did_you_mean(nearest(str(value), argument.choices))
            found.append(Mistake("GS103", message, hint, name))
    missing = [name for name, argument in kind.arguments.items() if argument.required and name not in given]
    takes = f"It takes {', '.join(kind.arguments)}."
    found += [Mistake("GS104", f"`{expectation.kind}` lacks `{name}`", takes) for name in missing]
    if kind.bounds:
        found += _bound_mistakes(expectation)
    return found


def _bound_mistakes(expectation: Expectation) -> list[Mistake]:
    least, most = expectation.arguments.get("min_value"), expectation.arguments.get("max_value")
    if least is None and most is None:
        return [Mistake("GS104", f"`{expectation.kind}` needs `min_value` or `max_value`")]
    if least is None or most is None or not (is_bound(least) and is_bound(most)):
        return []
    if is_number(least) != is_number(most):
        message = f"`min_value` {least!r} and `max_value` {most!r} have different types"
        return [Mistake("GS103", message, argument="min_value")]
    if type(least) is not type(most) and not is_number(least):
        least, most = str(least), str(most)
    if least <= most:
        return []
    message = f"`min_value` {least} is greater than `max_value` {most}"
    return [Mistake("GS110", message, argument="min_value")]


def _condition_mistakes(condition: str, columns: Collection[str] | None) -> list[Mistake]:
    found = check_expression(condition, columns)
    return [Mistake(error.code, _part_of_sentence(error.message), error.hint, "condition") for error in found]


def _part_of_sentence(message: str) -> str:
    """A message as a part of a sentence."""
    return message[0].lower() + message[1:].removesuffix(".")


def _exists(name: str, columns: Collection[str]) -> bool:
    known = {column.lower() for column in columns}
    return name.lower() in known or name.lower().split(".")[0] in known


def _unknown_column(name: str, columns: Collection[str], argument: str) -> Mistake:
    return Mistake("GS203", f"there is no column `{name}`", hint_for(name, columns), argument)


def _hint_for_unknown(name: str, kind: Kind) -> str:
    if name in ("row_condition", "condition_parser"):
        return "Write a `condition` to evaluate some rows only."
    return hint_for(name, kind.arguments)


def _did_you_mean(name: str | None) -> str | None:
    return f"Did you mean `{name}`?" if name else None


def _near_kind(kind: str) -> str | None:
    """The known kind that was probably meant.

    Names with one of the long prefixes are compared without it; otherwise any two of them would be similar.
    """
    known = GX_KINDS | KINDS.keys()
    for prefix in GX_PREFIXES:
        if kind.startswith(prefix):
            alike = {_ending(name, prefix): name for name in known if name.startswith(prefix)}
            ending = nearest(_ending(kind, prefix), alike)
            return alike[ending] if ending else None
    return nearest(kind, known)


def _ending(kind: str, prefix: str) -> str:
    return kind.removeprefix(prefix).removeprefix("to_")
