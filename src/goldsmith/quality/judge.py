"""Judging a frame: each row's violations and outcome, then counts and verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from goldsmith.errors import DeclarationError
from goldsmith.project.models import Expectation, Otherwise
from goldsmith.project.sql_text import quoted
from goldsmith.quality import batch, catalog, gx, lookups
from goldsmith.quality.batch import Tally
from goldsmith.quality.columns import RowRule, compile_row
from goldsmith.quality.kinds import KINDS

REASONS = "_gs_reasons"
"""array<string>: what the row violates; violations found before first, then names of row expectations."""

OUTCOME = "_gs_outcome"
"""`keep`, `drop`, `quarantine` or `fail`; never NULL."""

_NO_LOOKUPS: Mapping[str, DataFrame] = MappingProxyType({})


@dataclass(frozen=True)
class Verdict:
    """What one expectation found.

    checked: rows it looked at. failed: rows at fault; 0 for aggregates, which blame no row.
    observed: the aggregate, or for `mostly` the share of rows that hold; None for row expectations.
    """

    name: str
    kind: str
    otherwise: Otherwise
    description: str
    checked: int
    failed: int
    observed: str | None
    ok: bool


@dataclass(frozen=True)
class Counts:
    """Rows by outcome; `rows_in` is counted on its own and is the sum of the others."""

    rows_in: int
    kept: int
    dropped: int
    quarantined: int
    failed: int


@dataclass(frozen=True)
class Judged:
    """A judged frame: the input's columns, REASONS and OUTCOME.

    The frame may be replaced by the same one cached. rules: by expectation name, of all that judge by row,
    `mostly` included.
    """

    frame: DataFrame
    expectations: tuple[Expectation, ...]
    rules: Mapping[str, RowRule]
    lookups: Mapping[str, DataFrame]


def judge(
    frame: DataFrame,
    expectations: Sequence[Expectation],
    *,
    reasons: Column | None = None,
    lookups: Mapping[str, DataFrame] = _NO_LOOKUPS,
) -> Judged:
    """Add to each row what it violates and what becomes of it. Lazy: no job over the frame runs.

    Of several violations the gravest decides: fail, quarantine, drop, then warn, which keeps the row.
    reasons: an array<string> Column of violations found before; a row that has any is quarantined.
    lookups: the tables that `expect_column_values_to_exist_in` names, by full name.
    Raises DeclarationError where an expectation cannot be judged on this frame, and NotReady GS903 where it
    needs Great Expectations and that is not installed.
    """
    _check(expectations)
    by_row = [item for item in expectations if not catalog.is_batch(item)]
    rules = _rules(frame, expectations)
    marked = _with_members(frame, by_row, lookups)

    earlier = F.coalesce(reasons, _names(())) if reasons is not None else _names(())
    found = [F.when(rules[item.name].failed, F.lit(item.name)) for item in by_row]
    violated = F.concat(earlier, F.array_compact(F.array(*found))) if found else earlier

    outcome = F.when(_any_of(violated, by_row, "fail"), F.lit("fail"))
    outcome = outcome.when(
        (F.size(earlier) > 0) | _any_of(violated, by_row, "quarantine"), F.lit("quarantine")
    )
    outcome = outcome.when(_any_of(violated, by_row, "drop"), F.lit("drop")).otherwise(F.lit("keep"))

    kept_columns = [F.col(quoted(name)) for name in frame.columns]
    judged = marked.select(*kept_columns, violated.alias(REASONS), outcome.alias(OUTCOME))
    return Judged(judged, tuple(expectations), MappingProxyType(rules), lookups)


def evaluate(judged: Judged) -> tuple[Counts, tuple[Verdict, ...]]:
    """Counts and one verdict for each expectation, in their order.

    Row expectations count all rows. Expectations on the batch, `mostly` included, judge the rows that would
    be written: neither dropped nor quarantined. One Spark job, and one more for each uniqueness expectation.
    """
    kept = ~F.col(OUTCOME).isin("drop", "quarantine")
    shared = [
        item for item in judged.expectations if catalog.is_batch(item) and item.kind not in batch.UNIQUE
    ]
    frame = _with_members(judged.frame, shared, judged.lookups)
    tallies = {
        item.name: _tally(judged, item, kept) for item in judged.expectations if item.kind not in batch.UNIQUE
    }
    measured = [
        getattr(tally, part).alias(f"{index}_{part}")
        for index, tally in enumerate(tallies.values())
        for part in ("checked", "failed", "ok", "observed")
    ]
    outcomes = [
        F.count_if(F.col(OUTCOME) == value).alias(name)
        for name, value in (
            ("kept", "keep"),
            ("dropped", "drop"),
            ("quarantined", "quarantine"),
            ("failed", "fail"),
        )
    ]
    row = frame.agg(F.count(F.lit(1)).alias("rows_in"), *outcomes, *measured).collect()[0]
    counts = Counts(*(row[name] for name in ("rows_in", "kept", "dropped", "quarantined", "failed")))

    numbers = {name: index for index, name in enumerate(tallies)}
    verdicts = tuple(
        _uniqueness(judged.frame.where(kept), item)
        if item.kind in batch.UNIQUE
        else _verdict(item, row, numbers[item.name])
        for item in judged.expectations
    )
    return counts, verdicts


def failing_rows(judged: Judged, name: str, limit: int = 3) -> list[str]:
    """Up to `limit` rows that violate an expectation, as JSON of the input's columns.

    For a uniqueness expectation they are keys that occur more than once; an aggregate blames no row: [].
    """
    expectation = next(item for item in judged.expectations if item.name == name)
    columns = [column for column in judged.frame.columns if not column.startswith("_gs_")]
    frame = judged.frame
    if expectation.kind in batch.UNIQUE:
        frame = batch.duplicates(frame.where(~F.col(OUTCOME).isin("drop", "quarantine")), expectation)
        columns = [column for column in frame.columns if column != "_gs_rows"]
        frame = frame.where(F.col("_gs_rows") > 1)
    elif not catalog.is_batch(expectation):
        frame = frame.where(F.array_contains(REASONS, name))
    elif name in judged.rules:
        frame = _with_members(frame, [expectation], judged.lookups).where(judged.rules[name].failed)
        frame = frame.where(~F.col(OUTCOME).isin("drop", "quarantine"))
    else:
        return []
    whole = F.struct(*(F.col(quoted(column)) for column in columns))
    rows = frame.select(F.to_json(whole, {"ignoreNullFields": "false"}).alias("row")).limit(limit).collect()
    return [row["row"] for row in rows]


def _check(expectations: Sequence[Expectation]) -> None:
    seen: set[str] = set()
    for item in expectations:
        for problem in catalog.problems(item, None):
            raise DeclarationError("GS103", f"`{item.name}`: {problem}")
        if item.name in seen:
            raise DeclarationError(
                "GS105", f"two expectations are called `{item.name}`", hint="Give one of them a `name`."
            )
        seen.add(item.name)


def _rules(frame: DataFrame, expectations: Sequence[Expectation]) -> dict[str, RowRule]:
    rules = gx.compile_foreign(frame, [item for item in expectations if catalog.needs_gx(item)])
    for item in expectations:
        kind = KINDS.get(item.kind)
        if kind is not None and not kind.batch:
            rules[item.name] = compile_row(frame, item, lookups.member(item))
    return rules


def _with_members(
    frame: DataFrame, expectations: Sequence[Expectation], tables: Mapping[str, DataFrame]
) -> DataFrame:
    return lookups.with_members(frame, [item for item in expectations if catalog.reference(item)], tables)


def _names(names: Sequence[str]) -> Column:
    return F.array(*(F.lit(name) for name in names)).cast("array<string>")


def _any_of(violated: Column, expectations: Sequence[Expectation], otherwise: Otherwise) -> Column:
    names = [item.name for item in expectations if item.otherwise == otherwise]
    return reduce(or_, (F.array_contains(violated, name) for name in names), F.lit(False))


def _tally(judged: Judged, expectation: Expectation, kept: Column) -> Tally:
    rule = judged.rules.get(expectation.name)
    nothing: tuple[Column, Column] = (F.lit(None).cast("boolean"), F.lit(None).cast("string"))
    if rule is None:
        return batch.compile_batch(judged.frame.schema, expectation, kept)
    if catalog.is_batch(expectation):
        return Tally(F.count_if(kept & rule.considered), F.count_if(kept & rule.failed), *nothing)
    failed = F.count_if(F.array_contains(REASONS, expectation.name))
    return Tally(F.count_if(rule.considered), failed, *nothing)


def _verdict(expectation: Expectation, row: Row, number: int) -> Verdict:
    checked, failed = row[f"{number}_checked"], row[f"{number}_failed"]
    held: bool | None = row[f"{number}_ok"]
    if held is not None:
        return _of(expectation, checked, failed, row[f"{number}_observed"], held)
    return _counted(expectation, checked, failed)


def _counted(expectation: Expectation, checked: int, failed: int) -> Verdict:
    mostly: Any = expectation.arguments.get("mostly")
    if mostly is None:
        return _of(expectation, checked, failed, None, failed == 0)
    share = (checked - failed) / checked if checked else 1.0
    return _of(expectation, checked, failed, f"{share:.2%}", share >= float(mostly))


def _uniqueness(frame: DataFrame, expectation: Expectation) -> Verdict:
    return _counted(expectation, *batch.count_duplicates(frame, expectation))


def _of(expectation: Expectation, checked: int, failed: int, observed: str | None, ok: bool) -> Verdict:
    return Verdict(
        expectation.name,
        expectation.kind,
        expectation.otherwise,
        catalog.describe(expectation),
        checked,
        failed,
        observed,
        ok,
    )
