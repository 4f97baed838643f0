"""The rules of loads over plain Python rows: the expected content of tables, computed in a simple way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
Rule = Callable[[Row], bool | None]
"""True if a row meets the rule, False if not; None is SQL's NULL, which fails."""


@dataclass(frozen=True)
class Expected:
    """A row expectation: its name, its rule, and the action on a failing row."""

    name: str
    holds: Rule
    otherwise: str


@dataclass
class Judgement:
    """Rows by outcome. quarantined: reasons and row."""

    kept: list[Row] = field(default_factory=list)
    quarantined: list[tuple[tuple[str, ...], Row]] = field(default_factory=list)
    dropped: list[Row] = field(default_factory=list)


def judge(rows: Iterable[Row], rules: Sequence[Expected] = (), key: Sequence[str] = ()) -> Judgement:
    """Sorts rows by their most severe violation; a NULL in the merge key is one. Reasons name all."""
    result = Judgement()
    for row in rows:
        failed = [rule for rule in rules if not rule.holds(row)]
        null_key = any(row[name] is None for name in key)
        reasons = (*(["null_key"] if null_key else []), *(rule.name for rule in failed))
        actions = {rule.otherwise for rule in failed}
        if null_key or "quarantine" in actions:
            result.quarantined.append((reasons, row))
        elif "drop" in actions:
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
    """The candidates for each key's row: several if `newest_by` has ties.

    A key is excluded if its newest row is a delete. If equally new rows disagree on that,
    `_ABSENT` is among the candidates.
    """
    newest: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        at = tuple(row[name] for name in key)
        candidates = newest.setdefault(at, [])
        if not candidates or _order(row, newest_by) > _order(candidates[0], newest_by):
            newest[at] = [row]
        elif _order(row, newest_by) == _order(candidates[0], newest_by):
            candidates.append(row)
    survivors = {}
    for at, candidates in newest.items():
        left = [row for row in candidates if not delete_when(row)]
        if left:
            survivors[at] = left if len(left) == len(candidates) else [*left, _ABSENT]
    return survivors


_ABSENT: Row = {}


def fits(table: Iterable[Row], survivors: Mapping[tuple[Any, ...], list[Row]], key: Sequence[str]) -> str:
    """The reason why a table does not match the survivors; empty if it matches."""
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
    """A sort key with Spark's order: NULL comes first."""
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
    """The rows added between two states of a table, as a multiset; equal rows cancel out."""
    return multiset(after, columns) - multiset(before, columns)


def history(
    rows: Iterable[Row],
    key: Sequence[str],
    sequence: Sequence[str],
    track: Sequence[str],
    delete_when: Rule = lambda _row: False,
    *,
    snapshots: bool = False,
) -> list[Row]:
    """The versions of each key with `valid_from`, `valid_to` and `is_current`.

    snapshots: a key that lacks a value of the sequence which any row has is deleted at that value. No two different
    rows of a key may be equal in all of `sequence`.
    """
    changes: dict[tuple[Any, ...], dict[Any, Row]] = {}
    for row in sorted(rows, key=lambda row: _order(row, sequence)):
        changes.setdefault(tuple(row[name] for name in key), {})[row[sequence[0]]] = row
    times = sorted({at for of_key in changes.values() for at in of_key})
    found: list[Row] = []
    for of_key in changes.values():
        current: Row | None = None
        for at in times:
            row = of_key.get(at)
            if row is None and not snapshots:
                continue
            if row is None or delete_when(row):
                if current is not None:
                    current |= {"valid_to": at, "is_current": False}
                current = None
            elif current is not None and all(current[name] == row[name] for name in track):
                current |= {name: value for name, value in row.items() if name not in sequence}
            else:
                if current is not None:
                    current |= {"valid_to": at, "is_current": False}
                current = {**row, "valid_from": at, "valid_to": None, "is_current": True}
                found.append(current)
    return found
