"""Evaluates expectations on a frame: violations and outcome of each row, then counts and verdicts."""

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
from goldsmith.quality import batch, declarations, gx, lookups
from goldsmith.quality.kinds import KINDS
from goldsmith.quality.rules import RowRule, compile_row

REASONS = "_gs_reasons"
"""array<string>: the violations of the row: those found before, then the names of failed row expectations."""

OUTCOME = "_gs_outcome"
"""`keep`, `drop`, `quarantine` or `fail`; never NULL."""

_EARLIER, _FAILED = "_gs_earlier", "_gs_failed"
KEPT = f"FILTER (WHERE {OUTCOME} = 'keep')"
"""SQL: restricts an aggregate to rows with the outcome `keep`."""

_WRITTEN = f"{OUTCOME} NOT IN ('drop', 'quarantine')"
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_LOOKUPS: Mapping[str, DataFrame] = MappingProxyType({})


@dataclass(frozen=True)
class Verdict:
    """The result of one expectation.

    checked: evaluated rows. failed: failing rows; 0 for aggregates.
    observed: the aggregate, or for `mostly` the share of passing rows; None for row expectations. ok: it was met.
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
    """Rows by outcome. rows_in: counted independently; it is the sum of the others."""

    rows_in: int
    kept: int
    dropped: int
    quarantined: int
    failed: int


@dataclass(frozen=True)
class Evaluated:
    """Counts and verdicts of judged rows. also: further aggregates by name. keys: the number of distinct keys."""

    counts: Counts
    verdicts: tuple[Verdict, ...]
    also: Mapping[str, Any]
    keys: int


@dataclass(frozen=True)
class Judged:
    """A frame with the input's columns, REASONS and OUTCOME.

    The frame may be replaced by a cached copy. rules: by expectation name, of all expectations that are evaluated
    by row, `mostly` included.
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
    """Adds violations and the outcome to each row. Lazy: starts no job over the frame.

    The outcome follows the most severe violation: fail, quarantine, drop, then warn, which keeps the row.
    reasons: SQL of an array<string> of violations found before; a row that has any is quarantined.
    lookups: the tables that `expect_column_values_to_exist_in` names, by full name.
    Raises DeclarationError if an expectation cannot be evaluated on this frame, and NotReady GS903 if it
    needs Great Expectations, which is not installed.
    """
    _check(expectations)
    by_row = [item for item in expectations if not declarations.is_batch(item)]
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
    excluded = ", ".join(map(quoted, (*helpers, _EARLIER, _FAILED)))
    judged = judged.selectExpr(f"* EXCEPT ({excluded})", violated, outcome)
    return Judged(judged, tuple(expectations), MappingProxyType(rules), lookups)


def evaluate(judged: Judged, also: Mapping[str, str] = _NOTHING, keys: Sequence[str] = ()) -> Evaluated:
    """Counts rows, and returns a verdict for each expectation, in their order. One Spark job.

    also: further SQL aggregates by name, usually restricted by KEPT. keys: columns whose distinct values are
    counted over the rows with the outcome `keep`. Row expectations count all rows. Expectations on the batch,
    `mostly` included, are evaluated on the rows that would be written: neither dropped nor quarantined.
    """
    shared = [
        item for item in judged.expectations if declarations.is_batch(item) and item.kind not in batch.UNIQUE
    ]
    frame = _prepared(judged.frame, shared, judged.rules, judged.lookups)
    outcomes = ("keep", "drop", "quarantine", "fail")
    aggregates = {"rows_in": "count(1)"} | {name: f"count_if({OUTCOME} = '{name}')" for name in outcomes}
    aggregates |= {f"also_{name}": sql for name, sql in also.items()}
    for index, item in enumerate(judged.expectations):
        if item.kind not in batch.UNIQUE:
            aggregates |= {f"{index}_{part}": sql for part, sql in _tally(judged, item).items()}
    named = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in aggregates.items())
    counted = frame.selectExpr(f"struct({named}) AS counted")
    unique = [item for item in judged.expectations if item.kind in batch.UNIQUE]
    grouped = batch.groups(
        judged.frame.where(_WRITTEN), unique, judged.frame.where(f"{OUTCOME} = 'keep'"), keys
    )
    # In one job: separate jobs would wait for each other.
    counts_row, *others = _one_row_each([counted, *grouped.values()])
    row = counts_row["counted"].asDict()
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
    """The single row of each frame, in one Spark job."""
    parts = [frame.selectExpr(f"{at} AS _gs_part", "*") for at, frame in enumerate(frames)]
    rows = reduce(partial(DataFrame.unionByName, allowMissingColumns=True), parts).collect()
    return [row.asDict() for row in sorted(rows, key=lambda row: int(row["_gs_part"]))]


def failing_rows(judged: Judged, names: Sequence[str], limit: int = 3) -> dict[str, list[str]]:
    """Up to `limit` failing rows of each expectation, as JSON of the input's columns. One Spark job each.

    For a uniqueness expectation they are duplicate keys; an aggregate has none.
    """
    found: dict[str, list[str]] = {name: [] for name in names}
    by_name = {item.name: item for item in judged.expectations}
    for name in names:
        frame = _violating(judged, by_name[name])
        if frame is not None:
            columns = ", ".join(quoted(column) for column in frame.columns if not column.startswith("_gs_"))
            row = f"to_json(struct({columns}), map('ignoreNullFields', 'false')) AS row"
            # Not in one union: Spark would compile a class for each limit below it.
            found[name] = [each["row"] for each in frame.selectExpr(row).limit(limit).collect()]
    return found


def _violating(judged: Judged, expectation: Expectation) -> DataFrame | None:
    frame = judged.frame
    if expectation.kind in batch.UNIQUE:
        return batch.duplicates(frame.where(_WRITTEN), expectation).where("_gs_rows > 1")
    if not declarations.is_batch(expectation):
        return frame.where(f"array_contains({REASONS}, {text_literal(expectation.name)})")
    if expectation.name not in judged.rules:
        return None
    frame = _prepared(frame, [expectation], judged.rules, judged.lookups)
    return frame.where(judged.rules[expectation.name].failed).where(_WRITTEN)


def _check(expectations: Sequence[Expectation]) -> None:
    seen: set[str] = set()
    for item in expectations:
        for problem in declarations.problems(item, None):
            raise DeclarationError("GS103", f"`{item.name}`: {problem}")
        if item.name in seen:
            raise DeclarationError(
                "GS105", f"two expectations have the name `{item.name}`", hint="Give one of them a `name`."
            )
        seen.add(item.name)


def _rules(frame: DataFrame, expectations: Sequence[Expectation]) -> dict[str, RowRule]:
    rules = gx.compile_gx(frame, [item for item in expectations if declarations.needs_gx(item)])
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
    """The frame with the additional columns that the rules of these expectations use."""
    frame = lookups.with_members(
        frame, [item for item in expectations if declarations.reference(item)], tables
    )
    columns = [rules[item.name].gx_column for item in expectations if item.name in rules]
    return frame.withColumns(dict(each for each in columns if each is not None)) if any(columns) else frame


def _any_of(expectations: Sequence[Expectation], otherwise: Otherwise) -> str:
    """SQL: whether a row violates an expectation with this outcome."""
    failed = [f"{_FAILED}[{at}]" for at, item in enumerate(expectations) if item.otherwise == otherwise]
    return " OR ".join(failed) or "false"


def _tally(judged: Judged, expectation: Expectation) -> Mapping[str, str]:
    """SQL of the aggregates of a verdict; without `checked` if every row is evaluated."""
    rule = judged.rules.get(expectation.name)
    if rule is None:
        tally = batch.compile_batch(judged.frame.schema, expectation, _WRITTEN)
        return {"checked": tally.checked, "ok": tally.ok, "observed": tally.observed}
    if declarations.is_batch(expectation):
        checked = _WRITTEN if rule.considered is None else f"{_WRITTEN} AND {rule.considered}"
        return {"checked": f"count_if({checked})", "failed": f"count_if({_WRITTEN} AND {rule.failed})"}
    failed = f"count_if(array_contains({REASONS}, {text_literal(expectation.name)}))"
    if rule.considered is None:
        return {"failed": failed}
    return {"checked": f"count_if({rule.considered})", "failed": failed}


def _verdict(expectation: Expectation, row: Mapping[str, Any], number: int) -> Verdict:
    checked, failed = row.get(f"{number}_checked", row["rows_in"]), row.get(f"{number}_failed", 0)
    met: bool | None = row.get(f"{number}_ok")
    if met is not None:
        return _of(expectation, checked, failed, row[f"{number}_observed"], met)
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
        declarations.describe(expectation),
        checked,
        failed,
        observed,
        ok,
    )
