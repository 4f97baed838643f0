"""The rows that a load has to take: computed from delivered files or from upstream tables."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.columns import named
from goldsmith.engine.delta.changes import ChangeSet, changed_rows, read_changes, read_table
from goldsmith.engine.delta.merging import null_key
from goldsmith.engine.ingest.files import HEADER, Delivered, Stamp, read_files
from goldsmith.engine.ingest.files import reasons as file_reasons
from goldsmith.engine.ingest.parsing import MALFORMED
from goldsmith.engine.ingest.shape import Shaped, cast_or_null, shape
from goldsmith.engine.literals import Literals, among, literal_of
from goldsmith.errors import GoldsmithError, RunError, Where
from goldsmith.project.loads import Append, Merge, OverwritePartitions
from goldsmith.project.sql.text import quoted
from goldsmith.project.tables import PythonCode, Table
from goldsmith.run.context import Run, make_views
from goldsmith.run.plan import Plan
from goldsmith.run.user_code import of_network, raised_at, said

FILE_REASONS = "_gs_file_reasons"
"""array<string>: why a delivered row cannot be taken as it is, for as long as its file's text is at hand."""

MAX_VALUES = 1000
"""How many touched partitions are replaced one by one; with more, the whole table is written."""


class TooMuchTouched(Exception):  # noqa: N818 - tells the caller to compute the whole table
    """The change set cannot be applied to a part of the table. The message says why."""


@dataclass(frozen=True)
class Slice:
    """Rows for one load. hidden: columns that judging sees and the table does not get.

    touched: for merge, the keys that were computed anew. values: for overwrite_partitions, the `by` values
    that are replaced (None: all of them). change_rows: rows of the change set where the query is one-to-one.
    """

    shaped: Shaped
    hidden: tuple[str, ...] = ()
    touched: DataFrame | None = None
    values: tuple[Literals, ...] | None = None
    change_rows: int | None = None
    persisted: tuple[DataFrame, ...] = ()


def types_of(table: Table) -> dict[str, str]:
    return {name: column.type for name, column in table.spec.columns.items() if column.type}


def shaped_delivery(delivered: Delivered, types: Mapping[str, str]) -> Shaped:
    """Delivered rows in their types; FILE_REASONS holds the violations."""
    shaped = shape(delivered.frame, types)
    reasons = f"concat({file_reasons(delivered)}, {shaped.reasons}) AS {FILE_REASONS}"
    return Shaped(shaped.frame.selectExpr("*", reasons), FILE_REASONS)


def slice_of(spark: SparkSession, run: Run, plan: Plan) -> Slice:
    """The rows of a plan. Raises TooMuchTouched where only a load of everything is right."""
    table = plan.table
    if plan.files is not None:
        delivered = read_files(
            spark, table.name, table.spec, run.landing, plan.files.files, Stamp(run.run_id, run.started)
        )
        return Slice(shaped_delivery(delivered, types_of(table)), (MALFORMED, HEADER, FILE_REASONS))
    pinned = {
        name: read_table(spark, run.path(name), at.version)
        for name, at in plan.upstreams.items()
        if name in table.upstreams
    }
    if plan.driver is None:
        return Slice(_shaped(spark, table, pinned))
    assert plan.span is not None
    if isinstance(table.load, OverwritePartitions):
        return _partition_slice(spark, run, table, plan, table.load, pinned)
    changes = read_changes(spark, run.path(plan.driver), plan.span)
    rows = (
        changes.added_rows
        if table.analysis is not None and table.analysis.one_to_one_in(plan.driver)
        else None
    )
    try:
        piece = _changed_slice(spark, run, plan, pinned, changes, rows)
    except Exception:
        for frame in changes.cached:
            frame.unpersist()
        raise
    return replace(piece, persisted=(*piece.persisted, *changes.cached))


def _changed_slice(
    spark: SparkSession,
    run: Run,
    plan: Plan,
    pinned: dict[str, DataFrame],
    changes: ChangeSet,
    rows: int | None,
) -> Slice:
    table = plan.table
    match table.load:
        case Append():
            return _append_slice(spark, table, plan, pinned, changes, rows)
        case Merge() as load:
            return _merge_slice(spark, run, table, plan, load, pinned, changes, rows)
        case _:
            raise AssertionError(f"{table.load.kind} has no driver")


def _append_slice(
    spark: SparkSession,
    table: Table,
    plan: Plan,
    pinned: dict[str, DataFrame],
    changes: ChangeSet,
    rows: int | None,
) -> Slice:
    assert plan.driver is not None
    if changes.removed is not None and table.spec.on_removed == "fail" and not changes.removed.isEmpty():
        raise RunError(
            "GS404",
            f"{plan.driver} lost rows that `{table.name}` has appended already.",
            where=Where(table=table.name),
            hint=f"Rebuild it: `goldsmith run {table.name} --rebuild {table.name}`; or keep the rows: `on_removed: ignore`.",
        )
    return Slice(_shaped(spark, table, {**pinned, plan.driver: changes.added}, plan.driver), change_rows=rows)


def _merge_slice(
    spark: SparkSession,
    run: Run,
    table: Table,
    plan: Plan,
    load: Merge,
    pinned: dict[str, DataFrame],
    changes: ChangeSet,
    rows: int | None,
) -> Slice:
    assert plan.driver is not None
    assert plan.bookmark is not None
    touched: DataFrame | None = None
    if changes.removed is not None:
        touched = _keys_of(spark, run, table, plan, load, pinned, changes.removed)
    if load.delete_when is not None:
        # A key that the table lacks may have been deleted by a row that is newer than the one that comes now.
        added = _shaped(spark, table, {**pinned, plan.driver: changes.added}, plan.driver)
        absent = _absent_keys(spark, run, table, load, added.frame)
        touched = absent if touched is None else touched.unionByName(absent).distinct()
    if touched is None:
        return Slice(
            _shaped(spark, table, {**pinned, plan.driver: changes.added}, plan.driver), change_rows=rows
        )
    touched = touched.persist()
    if touched.isEmpty():
        touched.unpersist()
        return Slice(_shaped(spark, table, {**pinned, plan.driver: changes.added}, plan.driver))
    restricted = _with_keys(table, plan.driver, load.key, pinned[plan.driver], touched, "left_semi")
    others = _with_keys(table, plan.driver, load.key, changes.added, touched, "left_anti")
    again = _shaped(spark, table, {**pinned, plan.driver: restricted}, None)
    again = Shaped(_semi(again.frame, touched, load.key), again.reasons)
    fresh = _shaped(spark, table, {**pinned, plan.driver: others}, plan.driver)
    both = Shaped(again.frame.unionByName(fresh.frame, allowMissingColumns=True), fresh.reasons)
    return Slice(both, touched=touched, persisted=(touched,))


def _keys_of(
    spark: SparkSession,
    run: Run,
    table: Table,
    plan: Plan,
    load: Merge,
    pinned: dict[str, DataFrame],
    removed: DataFrame,
) -> DataFrame:
    """The keys whose rows may come of removed rows of the driver; more than those where the query leaves rows out.

    Keys that the driver alone decides are computed from its rows: what lookups held when a row was loaded does not
    matter then. Raises TooMuchTouched where that is not so and cannot be known any more.
    """
    assert plan.driver is not None
    assert plan.bookmark is not None
    assert table.analysis is not None
    traced = [(name, table.analysis.traced(plan.driver, name)) for name in load.key]
    known = [(name, expression) for name, expression in traced if expression is not None]
    if len(known) == len(traced):
        columns = [f"{_as_declared(table, removed, sql, name)} AS {quoted(name)}" for name, sql in known]
        return removed.selectExpr(*columns).distinct()
    if table.exceptions:
        raise TooMuchTouched(
            f"rows left {plan.driver}, and it is not known by which lookups their keys were made"
        )
    then = plan.bookmark.metadata.consumed
    former = {
        name: frame
        if name == plan.driver or name not in table.lookups
        else read_table(spark, run.path(name), then[name].version)
        for name, frame in pinned.items()
    }
    rows = _shaped(spark, table, {**former, plan.driver: removed}, plan.driver)
    return rows.frame.select(*named(load.key)).distinct()


def _absent_keys(spark: SparkSession, run: Run, table: Table, load: Merge, added: DataFrame) -> DataFrame:
    keys = added.where(f"NOT ({null_key(load)})").select(*named(load.key)).distinct()
    held = spark.read.format("delta").load(run.path(table.name)).select(*named(load.key))
    return keys.join(held, list(load.key), "left_anti")


def _with_keys(
    table: Table, driver: str, key: tuple[str, ...], rows: DataFrame, touched: DataFrame, how: str
) -> DataFrame:
    """The driver's rows whose keys are among the touched ones, or are not."""
    assert table.analysis is not None
    conditions: list[Column] = []
    renamed = touched.select(*[F.col(quoted(name)).alias(f"_gs_key_{at}") for at, name in enumerate(key)])
    for at, name in enumerate(key):
        traced = table.analysis.traced(driver, name)
        if traced is None:
            raise TooMuchTouched(f"rows left {driver}, and the key {name} cannot be traced to it alone")
        conditions.append(F.expr(_as_declared(table, rows, traced, name)).eqNullSafe(F.col(f"_gs_key_{at}")))
    return rows.join(renamed, reduce(lambda left, right: left & right, conditions), how)


def _as_declared(table: Table, rows: DataFrame, traced: str, name: str) -> str:
    """A traced expression over the driver's rows, with the type and the NULLs that shaping gives its column."""
    wanted = {column.lower(): kind for column, kind in types_of(table).items()}.get(name.lower())
    if wanted is None:
        return traced
    return cast_or_null(f"({traced})", rows.selectExpr(traced).schema[0].dataType, wanted)


def _semi(rows: DataFrame, touched: DataFrame, key: tuple[str, ...]) -> DataFrame:
    renamed = touched.select(*[F.col(quoted(name)).alias(f"_gs_key_{at}") for at, name in enumerate(key)])
    equal = [rows[quoted(name)].eqNullSafe(F.col(f"_gs_key_{at}")) for at, name in enumerate(key)]
    return rows.join(renamed, reduce(lambda left, right: left & right, equal), "left_semi")


def _partition_slice(
    spark: SparkSession,
    run: Run,
    table: Table,
    plan: Plan,
    load: OverwritePartitions,
    pinned: dict[str, DataFrame],
) -> Slice:
    assert plan.driver is not None
    assert table.analysis is not None
    driver = pinned[plan.driver]
    expressions: list[str] = []
    for name in load.by:
        traced = table.analysis.traced(plan.driver, name)
        assert traced is not None, "recomputable_by said that it is"
        expressions.append(_as_declared(table, driver, traced, name))
    values = run.shared.get(
        ("touched", plan.driver, plan.span, *expressions),
        lambda: _touched_values(spark, run, plan, expressions),
    )
    if len(values) > MAX_VALUES:
        raise TooMuchTouched(f"{plan.driver} changed more than {MAX_VALUES} values of {', '.join(load.by)}")
    found = [f"_gs_by_{at}" for at in range(len(load.by))]
    marked = driver.selectExpr("*", *[f"{e} AS {name}" for name, e in zip(found, expressions, strict=True)])
    restricted = marked.where(among(found, values)).drop(*found)
    return Slice(_shaped(spark, table, {**pinned, plan.driver: restricted}, None), values=values)


def _touched_values(
    spark: SparkSession, run: Run, plan: Plan, expressions: Sequence[str]
) -> tuple[Literals, ...]:
    """What the expressions give for the driver's changed rows, each once; up to one more than MAX_VALUES."""
    assert plan.driver is not None
    assert plan.span is not None
    names = [f"_gs_by_{at}" for at in range(len(expressions))]
    found = [f"{e} AS {name}" for e, name in zip(expressions, names, strict=True)]
    moved = changed_rows(spark, run.path(plan.driver), plan.span).selectExpr(*found)
    literals = [f"{literal_of(name, moved.schema[name].dataType)} AS {name}" for name in names]
    return tuple(map(tuple, moved.distinct().limit(MAX_VALUES + 1).selectExpr(*literals).collect()))


def _shaped(
    spark: SparkSession, table: Table, frames: Mapping[str, DataFrame], driver: str | None = None
) -> Shaped:
    """The table's query over the given frames, in its declared types.

    driver: whose rows alone are wanted; arms of a UNION ALL that do not read it give none.
    """
    if table.code is not None:
        return shape(_transformed(spark, table, table.code, frames), types_of(table))
    assert table.query is not None
    names = make_views(frames)
    empty = {name: f"(SELECT * FROM {view} WHERE false)" for name, view in names.items()}
    return shape(spark.sql(table.query.rendered(names, driver=driver, empty=empty)), types_of(table))


def _transformed(
    spark: SparkSession, table: Table, code: PythonCode, frames: Mapping[str, DataFrame]
) -> DataFrame:
    spec = importlib.util.spec_from_file_location(
        f"goldsmith_table_{table.name.replace('.', '_')}", code.file
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        result = module.transform(spark, dict(frames))
    except GoldsmithError:
        raise
    except (Exception, SystemExit) as error:
        raise RunError(
            "GS206",
            f"The table's code failed: {said(error)}",
            where=raised_at(error, code.file, table.name),
            retryable=of_network(error),
            hint="Correct it and run again: nothing was written.",
        ) from error
    if not isinstance(result, DataFrame):
        told = f"`transform` returned {type(result).__name__} and not a DataFrame."
        raise RunError("GS206", told, where=Where(file=code.file, table=table.name))
    return result
