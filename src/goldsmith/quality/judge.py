"""Judging a frame: each row's violations and outcome, then counts and verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from types import MappingProxyType
from typing import Any

from pyspark.sql import DataFrame

from goldsmith.errors import DeclarationError
from goldsmith.project.expectations import Expectation, Otherwise
from goldsmith.project.sql.text import quoted, text_literal
from goldsmith.quality import batch, catalog, gx, lookups
from goldsmith.quality.kinds import KINDS
from goldsmith.quality.rows import RowRule, compile_row

REASONS = "_gs_reasons"
"""array<string>: what the row violates; violations found before first, then names of row expectations."""

OUTCOME = "_gs_outcome"
"""`keep`, `drop`, `quarantine` or `fail`; never NULL."""

_EARLIER, _FAILED = "_gs_earlier", "_gs_failed"
KEPT = f"FILTER (WHERE {OUTCOME} = 'keep')"
"""SQL: what restricts an aggregate to the rows whose outcome is `keep`."""

_WRITTEN = f"{OUTCOME} NOT IN ('drop', 'quarantine')"
_NOTHING: Mapping[str, str] = MappingProxyType({})
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
class Evaluated:
    """What judged rows come to. also: the further aggregates that were asked for. keys: distinct ones."""

    counts: Counts
    verdicts: tuple[Verdict, ...]
    also: Mapping[str, Any]
    keys: int


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
    reasons: str | None = None,
    lookups: Mapping[str, DataFrame] = _NO_LOOKUPS,
) -> Judged:
    """Add to each row what it violates and what becomes of it. Lazy: no job over the frame runs.

    Of several violations the gravest decides: fail, quarantine, drop, then warn, which keeps the row.
    reasons: SQL of an array<string> of violations found before; a row that has any is quarantined.
    lookups: the tables that `expect_column_values_to_exist_in` names, by full name.
    Raises DeclarationError where an expectation cannot be judged on this frame, and NotReady GS903 where it
    needs Great Expectations and that is not installed.
    """
    _check(expectations)
    by_row = [item for item in expectations if not catalog.is_batch(item)]
    rules = _rules(frame, expectations)
    marked = _prepared(frame, by_row, rules, lookups)
    failed = ", ".join(rules[item.name].failed for item in by_row)
    named = (f"IF({_FAILED}[{at}], {text_literal(item.name)}, NULL)" for at, item in enumerate(by_row))
    found = f"CAST(array_compact(array({', '.join(named)})) AS array<string>)"
    violated = f"concat(coalesce({_EARLIER}, array()), {found}) AS {REASONS}"
    outcome = (
        f"CASE WHEN {_any_of(by_row, 'fail')} THEN 'fail' "
        f"WHEN size({_EARLIER}) > 0 OR {_any_of(by_row, 'quarantine')} THEN 'quarantine' "
        f"WHEN {_any_of(by_row, 'drop')} THEN 'drop' ELSE 'keep' END AS {OUTCOME}"
    )
    earlier = f"CAST({reasons or 'NULL'} AS array<string>) AS {_EARLIER}"
    judged = marked.selectExpr("*", earlier, f"array({failed}) AS {_FAILED}")
    helpers = [name for name in marked.columns if name not in frame.columns]
    left_out = ", ".join(map(quoted, (*helpers, _EARLIER, _FAILED)))
    judged = judged.selectExpr(f"* EXCEPT ({left_out})", violated, outcome)
    return Judged(judged, tuple(expectations), MappingProxyType(rules), lookups)


def evaluate(judged: Judged, also: Mapping[str, str] = _NOTHING, keys: Sequence[str] = ()) -> Evaluated:
    """Counts, and one verdict for each expectation, in their order.

    also: further SQL aggregates by name, restricted as they say themselves: mostly by KEPT. keys: columns
    whose distinct values are counted over the rows whose outcome is `keep`. Row expectations count all
    rows. Expectations on the batch, `mostly` included, judge the rows that would be written: neither
    dropped nor quarantined. One Spark job.
    """
    shared = [
        item for item in judged.expectations if catalog.is_batch(item) and item.kind not in batch.UNIQUE
    ]
    frame = _prepared(judged.frame, shared, judged.rules, judged.lookups)
    outcomes = ("keep", "drop", "quarantine", "fail")
    told = {"rows_in": "count(1)"} | {name: f"count_if({OUTCOME} = '{name}')" for name in outcomes}
    told |= {f"also_{name}": sql for name, sql in also.items()}
    for index, item in enumerate(judged.expectations):
        if item.kind not in batch.UNIQUE:
            told |= {f"{index}_{part}": sql for part, sql in _tally(judged, item).items()}
    named = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in told.items())
    counted = frame.selectExpr(f"struct({named}) AS told")
    unique = [item for item in judged.expectations if item.kind in batch.UNIQUE]
    grouped = batch.groups(
        judged.frame.where(_WRITTEN), unique, judged.frame.where(f"{OUTCOME} = 'keep'"), keys
    )
    # In one job: apart, each would wait for the one before it.
    counts_row, *others = _one_row_each([counted, *grouped.values()])
    row = counts_row["told"].asDict()
    groups = {name: tuple(other["grouped"]) for name, other in zip(grouped, others, strict=True)}
    counts = Counts(row["rows_in"], *(row[outcome] for outcome in outcomes))
    verdicts = tuple(
        _counted(item, *groups[item.name][1:]) if item.kind in batch.UNIQUE else _verdict(item, row, index)
        for index, item in enumerate(judged.expectations)
    )
    return Evaluated(
        counts, verdicts, {name: row[f"also_{name}"] for name in also}, groups[batch.KEYS][0] if keys else 0
    )


def _one_row_each(frames: Sequence[DataFrame]) -> list[dict[str, Any]]:
    """The only row of each frame. One Spark job for all."""
    parts = [frame.selectExpr(f"{at} AS _gs_part", "*") for at, frame in enumerate(frames)]
    rows = reduce(partial(DataFrame.unionByName, allowMissingColumns=True), parts).collect()
    return [row.asDict() for row in sorted(rows, key=lambda row: int(row["_gs_part"]))]


def failing_rows(judged: Judged, names: Sequence[str], limit: int = 3) -> dict[str, list[str]]:
    """By expectation, up to `limit` rows that violate it, as JSON of the input's columns. One Spark job for each.

    For a uniqueness expectation they are keys that occur more than once; an aggregate blames no row.
    """
    found: dict[str, list[str]] = {name: [] for name in names}
    by_name = {item.name: item for item in judged.expectations}
    for name in names:
        frame = _violating(judged, by_name[name])
        if frame is not None:
            columns = ", ".join(quoted(column) for column in frame.columns if not column.startswith("_gs_"))
            row = f"to_json(struct({columns}), map('ignoreNullFields', 'false')) AS row"
            # A limit below a union has a class of its own each time.
            found[name] = [told["row"] for told in frame.selectExpr(row).limit(limit).collect()]
    return found


def _violating(judged: Judged, expectation: Expectation) -> DataFrame | None:
    frame = judged.frame
    if expectation.kind in batch.UNIQUE:
        return batch.duplicates(frame.where(_WRITTEN), expectation).where("_gs_rows > 1")
    if not catalog.is_batch(expectation):
        return frame.where(f"array_contains({REASONS}, {text_literal(expectation.name)})")
    if expectation.name not in judged.rules:
        return None
    frame = _prepared(frame, [expectation], judged.rules, judged.lookups)
    return frame.where(judged.rules[expectation.name].failed).where(_WRITTEN)


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


def _prepared(
    frame: DataFrame,
    expectations: Sequence[Expectation],
    rules: Mapping[str, RowRule],
    tables: Mapping[str, DataFrame],
) -> DataFrame:
    """The frame with the columns that the rules of these expectations name besides its own."""
    frame = lookups.with_members(frame, [item for item in expectations if catalog.reference(item)], tables)
    foreign = [rules[item.name].foreign for item in expectations if item.name in rules]
    return frame.withColumns(dict(known for known in foreign if known is not None)) if any(foreign) else frame


def _any_of(expectations: Sequence[Expectation], otherwise: Otherwise) -> str:
    """SQL: whether a row violates an expectation with this outcome."""
    failed = [f"{_FAILED}[{at}]" for at, item in enumerate(expectations) if item.otherwise == otherwise]
    return " OR ".join(failed) or "false"


def _tally(judged: Judged, expectation: Expectation) -> Mapping[str, str]:
    """SQL of the aggregates that a verdict is made of; no `checked` where that is every row."""
    rule = judged.rules.get(expectation.name)
    if rule is None:
        tally = batch.compile_batch(judged.frame.schema, expectation, _WRITTEN)
        return {"checked": tally.checked, "ok": tally.ok, "observed": tally.observed}
    if catalog.is_batch(expectation):
        checked = _WRITTEN if rule.considered is None else f"{_WRITTEN} AND {rule.considered}"
        return {"checked": f"count_if({checked})", "failed": f"count_if({_WRITTEN} AND {rule.failed})"}
    failed = f"count_if(array_contains({REASONS}, {text_literal(expectation.name)}))"
    if rule.considered is None:
        return {"failed": failed}
    return {"checked": f"count_if({rule.considered})", "failed": failed}


def _verdict(expectation: Expectation, row: Mapping[str, Any], number: int) -> Verdict:
    checked, failed = row.get(f"{number}_checked", row["rows_in"]), row.get(f"{number}_failed", 0)
    held: bool | None = row.get(f"{number}_ok")
    if held is not None:
        return _of(expectation, checked, failed, row[f"{number}_observed"], held)
    return _counted(expectation, checked, failed)


def _counted(expectation: Expectation, checked: int, failed: int) -> Verdict:
    mostly: Any = expectation.arguments.get("mostly")
    if mostly is None:
        return _of(expectation, checked, failed, None, failed == 0)
    share = (checked - failed) / checked if checked else 1.0
    return _of(expectation, checked, failed, f"{share:.2%}", share >= float(mostly))


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
