"""The rules of loads over plain Python rows: what the tables must hold, computed the simplest way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
Rule = Callable[[Row], bool | None]
"""True if a row holds, False if it does not; None is SQL's NULL, which fails."""


@dataclass(frozen=True)
class Expected:
    """A row expectation: its name, its rule, and what becomes of a row that fails."""

    name: str
    holds: Rule
    otherwise: str


@dataclass
class Judgement:
    """Rows by what becomes of them. quarantined: reasons and row."""

    kept: list[Row] = field(default_factory=list)
    quarantined: list[tuple[tuple[str, ...], Row]] = field(default_factory=list)
    dropped: list[Row] = field(default_factory=list)


def judge(rows: Iterable[Row], rules: Sequence[Expected] = (), key: Sequence[str] = ()) -> Judgement:
    """Sorts rows by their gravest violation; all violations are named. key: of a merge, NULL in it is one."""
    result = Judgement()
    for row in rows:
        failed = [rule for rule in rules if not rule.holds(row)]
        null_key = any(row[name] is None for name in key)
        reasons = (*(["null_key"] if null_key else []), *(rule.name for rule in failed))
        graves = {rule.otherwise for rule in failed}
        if null_key or "quarantine" in graves:
            result.quarantined.append((reasons, row))
        elif "drop" in graves:
            result.dropped.append(row)
        else:
            result.kept.append(row)
    return result


def merged(
    rows: Iterable[Row],
    key: Sequence[str],
    newest_by: Sequence[str] = (),
    delete_when: Rule = lambda _row: False,
) -> dict[tuple[Any, ...], list[Row]]:
    """The rows of which one may survive for each key: several where `newest_by` does not tell them apart.

    A key is left out where its newest row says that it is deleted; where equally new rows disagree on that,
    None among the candidates stands for its absence.
    """
    newest: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        at = tuple(row[name] for name in key)
        held = newest.setdefault(at, [])
        if not held or _order(row, newest_by) > _order(held[0], newest_by):
            newest[at] = [row]
        elif _order(row, newest_by) == _order(held[0], newest_by):
            held.append(row)
    survivors = {}
    for at, candidates in newest.items():
        left = [row for row in candidates if not delete_when(row)]
        if left:
            survivors[at] = left if len(left) == len(candidates) else [*left, _ABSENT]
    return survivors


_ABSENT: Row = {}


def fits(table: Iterable[Row], survivors: Mapping[tuple[Any, ...], list[Row]], key: Sequence[str]) -> str:
    """Why a table is not one that the survivors allow; empty if it is."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in table:
        at = tuple(row[name] for name in key)
        if at in found:
            return f"the key {at} is there twice"
        found[at] = row
    for at, row in found.items():
        if at not in survivors:
            return f"the key {at} should not be there: {row}"
        if row not in survivors[at]:
            return f"the key {at} holds {row}, and not one of {survivors[at]}"
    for at, candidates in survivors.items():
        if at not in found and _ABSENT not in candidates:
            return f"the key {at} is missing: {candidates}"
    return ""


def _order(row: Row, names: Sequence[str]) -> tuple[tuple[bool, Any], ...]:
    """Comparable as Spark compares: a NULL is the least."""
    return tuple((row[name] is not None, row[name] if row[name] is not None else 0) for name in names)


def grouped(rows: Iterable[Row], by: Sequence[str], value: str) -> Counter[tuple[Any, ...]]:
    """`SELECT by..., count(*), sum(value) ... GROUP BY by...` as a multiset of tuples."""
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in by), []).append(row[value])
    totals = {}
    for at, values in groups.items():
        known = [item for item in values if item is not None]
        totals[at] = (len(values), sum(known) if known else None)
    return Counter((*at, *total) for at, total in totals.items())


def multiset(rows: Iterable[Row], columns: Sequence[str]) -> Counter[tuple[Any, ...]]:
    """Rows as a multiset of tuples."""
    return Counter(tuple(row[name] for name in columns) for row in rows)


def net(before: Iterable[Row], after: Iterable[Row], columns: Sequence[str]) -> Counter[tuple[Any, ...]]:
    """The rows that were added between two states of a table, as a multiset; equal rows cancel."""
    return multiset(after, columns) - multiset(before, columns)
