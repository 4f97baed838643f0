"""Judging declarations of expectations: what is wrong with them, and whether they judge rows or a batch.

Nothing here needs Spark, so that declarations can be checked without it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from goldsmith.project.expectations import Expectation
from goldsmith.project.sql.expression import check_expression
from goldsmith.project.suggest import hint_for, nearest
from goldsmith.quality.kinds import FOREIGN, FOREIGN_PREFIXES, KINDS, REFUSED, Kind, is_bound, is_number

_SUBJECT = re.compile(r"^expect_(select_)?(column_(pair_)?(values_)?)?")


def is_batch(expectation: Expectation) -> bool:
    """Whether the verdict is about the batch (unique, counts, means, anything with `mostly`)."""
    kind = KINDS.get(expectation.kind)
    return "mostly" in expectation.arguments or (kind is not None and kind.batch)


def needs_gx(expectation: Expectation) -> bool:
    """Whether only Great Expectations itself can compile the expectation (the extra `gx`)."""
    kind = expectation.kind
    if kind in KINDS or kind in REFUSED:
        return False
    return kind in FOREIGN or (kind.startswith(FOREIGN_PREFIXES) and _near_kind(kind) is None)


def reference(expectation: Expectation) -> tuple[str, str] | None:
    """The table and its key column that the expectation's values must exist in; None for other kinds."""
    arguments = expectation.arguments
    if expectation.kind != "expect_column_values_to_exist_in" or not isinstance(arguments.get("table"), str):
        return None
    return arguments["table"], str(arguments.get("key") or arguments.get("column"))


def describe(expectation: Expectation) -> str:
    """The declared description, or one made of the kind and its arguments."""
    if expectation.description:
        return expectation.description
    if expectation.kind == "condition":
        return str(expectation.arguments.get("condition"))
    named = {"column", "column_A", "column_B", "column_list"}
    rest = ", ".join(f"{key} {value}" for key, value in expectation.arguments.items() if key not in named)
    what = _SUBJECT.sub("", expectation.kind).replace("_", " ")
    subject = ", ".join(expectation.columns)
    return " ".join(part for part in (subject, what, f"({rest})" if rest else "") if part)


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with an expectation.

    code: of goldsmith.errors. argument: the one at fault, None for the expectation as a whole.
    """

    code: str
    message: str
    hint: str | None = None
    argument: str | None = None


def problems(expectation: Expectation, columns: Collection[str] | None) -> list[str]:
    """What is wrong with an expectation, as messages; see `mistakes`."""
    return [_in_one(mistake) for mistake in mistakes(expectation, columns)]


def mistakes(expectation: Expectation, columns: Collection[str] | None) -> list[Mistake]:
    """What is wrong with an expectation; empty where nothing is.

    columns: the table's columns where they are known. The arguments of expectations that only Great
    Expectations compiles are left to Great Expectations.
    """
    found: list[Mistake] = []
    kind = KINDS.get(expectation.kind)
    if kind is not None:
        found += _argument_mistakes(expectation, kind)
    elif expectation.kind in REFUSED:
        return [Mistake("GS102", f"`{expectation.kind}` cannot be used: {REFUSED[expectation.kind]}")]
    elif not needs_gx(expectation):
        unknown = f"`{expectation.kind}` is not an expectation that Goldsmith knows"
        return [Mistake("GS102", unknown, _did_you_mean(_near_kind(expectation.kind)))]
    if expectation.otherwise in ("drop", "quarantine") and is_batch(expectation):
        reason = "has `mostly`" if "mostly" in expectation.arguments else "judges the batch as a whole"
        told = f"`{expectation.kind}` {reason} and cannot {expectation.otherwise} rows"
        found.append(Mistake("GS110", told, "Say `otherwise: warn` or `otherwise: fail`."))
    if columns is not None:
        for argument, name in _named_columns(expectation):
            if not _is_there(name, columns):
                found.append(_absent(name, columns, argument))
    if expectation.kind == "condition" and isinstance(expectation.arguments.get("condition"), str):
        found += _condition_mistakes(expectation.arguments["condition"], columns)
    return found


def _in_one(mistake: Mistake) -> str:
    if mistake.hint is None:
        return mistake.message
    return f"{mistake.message}; {mistake.hint[0].lower()}{mistake.hint[1:]}"


def _named_columns(expectation: Expectation) -> list[tuple[str, str]]:
    """The columns that an expectation names, each with the argument that names it."""
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
            told = f"`{expectation.kind}` takes no `{name}`"
            found.append(Mistake("GS102", told, _hint_for_unknown(name, kind), name))
        elif not (argument.accepts(value) or (value is None and not argument.required)):
            told = f"`{name}` of `{expectation.kind}` takes {argument.takes}, not {value!r}"
            hint = _did_you_mean(nearest(str(value), argument.choices))
            found.append(Mistake("GS103", told, hint, name))
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
        told = f"`min_value` {least!r} and `max_value` {most!r} are values of different kinds"
        return [Mistake("GS103", told, argument="min_value")]
    if type(least) is not type(most) and not is_number(least):
        least, most = str(least), str(most)
    if least <= most:
        return []
    told = f"`min_value` {least} is greater than `max_value` {most}"
    return [Mistake("GS110", told, argument="min_value")]


def _condition_mistakes(condition: str, columns: Collection[str] | None) -> list[Mistake]:
    found = check_expression(condition, columns)
    return [Mistake(error.code, _begun(error.message), error.hint, "condition") for error in found]


def _begun(message: str) -> str:
    """A sentence as part of another one."""
    return message[0].lower() + message[1:].removesuffix(".")


def _is_there(name: str, columns: Collection[str]) -> bool:
    known = {column.lower() for column in columns}
    return name.lower() in known or name.lower().split(".")[0] in known


def _absent(name: str, columns: Collection[str], argument: str) -> Mistake:
    return Mistake("GS203", f"there is no column `{name}`", hint_for(name, columns), argument)


def _hint_for_unknown(name: str, kind: Kind) -> str:
    if name in ("row_condition", "condition_parser"):
        return "To judge some rows only, write a `condition`."
    return hint_for(name, kind.arguments)


def _did_you_mean(name: str | None) -> str | None:
    return f"Did you mean `{name}`?" if name else None


def _near_kind(kind: str) -> str | None:
    """The kind that was probably meant.

    Names with one of the long prefixes are compared by their endings, or any two of them would look alike.
    """
    known = FOREIGN | KINDS.keys()
    for prefix in FOREIGN_PREFIXES:
        if kind.startswith(prefix):
            alike = {_ending(name, prefix): name for name in known if name.startswith(prefix)}
            ending = nearest(_ending(kind, prefix), alike)
            return alike[ending] if ending else None
    return nearest(kind, known)


def _ending(kind: str, prefix: str) -> str:
    return kind.removeprefix(prefix).removeprefix("to_")
