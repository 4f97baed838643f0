"""The current content of tables: row counts, quarantines, sample rows and charts of gold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from goldsmith.engine.failures import explained
from goldsmith.errors import RunError
from goldsmith.project.sql.text import quoted
from goldsmith.project.tables import Table
from goldsmith.publish.report.cells import fetch, from_micros, micros
from goldsmith.publish.report.declared import ChartQuery, TableCharts, chart_of
from goldsmith.publish.report.model import Cell, GoldTable, QuarantinedRow, QuarantineReport, ReportChart
from goldsmith.publish.report.suggest import ChartSpec, chart_from, suggest_charts

SAMPLED = 1000
"""The number of sampled rows that determine a table's charts."""
SHOWN = 20
"""The number of these rows in the report."""
QUARANTINED_SHOWN = 3
MAX_POINTS = 2000
"""The maximum number of points of a line chart, the latest ones."""

_TIMES = ("date", "timestamp", "timestamp_ntz")


def row_counts(frames: Mapping[str, DataFrame]) -> dict[str, int]:
    """Row counts by table name, in one action. Delta uses the files' statistics if they are complete."""
    if not frames:
        return {}
    counted = [
        frame.agg(F.count(F.lit(1)).alias("rows")).select(F.lit(name).alias("name"), "rows")
        for name, frame in frames.items()
    ]
    return {row["name"]: row["rows"] for row in reduce(DataFrame.unionAll, counted).collect()}


def quarantine_report(entries: DataFrame) -> QuarantineReport:
    """The summary of a quarantine: the number of entries, their reasons, and the newest three. One job."""
    empty = F.lit(None)
    counted = (
        entries.groupBy("reasons")
        .agg(F.count(F.lit(1)).alias("rows"))
        .select("reasons", "rows", *[empty.cast("string").alias(name) for name in ("row", "run_id")])
        .withColumn("at", empty.cast("bigint"))
    )
    newest = (
        entries.orderBy(F.desc("held_at"), "id")
        .limit(QUARANTINED_SHOWN)
        .select("reasons", empty.cast("bigint").alias("rows"), "row", "run_id", micros(F.col("held_at")))
    )
    reasons: Counter[str] = Counter()
    total = 0
    samples = []
    for why, rows, row, run_id, at in counted.unionAll(newest).collect():
        if rows is None:
            samples.append(QuarantinedRow(tuple(why or ()), row, from_micros(at), run_id))
            continue
        total += rows
        for reason in why or ():
            reasons[reason] += rows
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    samples.sort(key=lambda sample: sample.at, reverse=True)
    return QuarantineReport(total, tuple(ordered), tuple(samples))


def gold_table(
    frame: DataFrame, table: Table, path: str, row_count: int, charts: TableCharts | None
) -> GoldTable:
    """A table's sample and charts: one small job for the sample and one per chart.

    path: the table's folder. charts: the declared charts; None to suggest some from the columns.
    Raises StorageError and NotReady if the table cannot be read.
    """
    columns = frame.dtypes
    rows = fetch(frame.orderBy(*_order(columns)).limit(SHOWN if charts else SAMPLED)) if row_count else []
    drawn: Iterable[ReportChart | None] = ()
    if rows and charts is None:
        drawn = (_suggested(frame, spec) for spec in suggest_charts(columns, rows))
    elif rows and charts is not None:
        drawn = (_declared(frame, query, table.name, path) for query in charts.drawn)
    return GoldTable(
        name=table.name,
        description=table.spec.description,
        columns=tuple(column for column, _ in columns),
        rows=tuple(rows[:SHOWN]),
        row_count=row_count,
        charts=tuple(chart for chart in drawn if chart is not None),
        omitted=charts.omitted if charts else (),
    )


def _order(columns: list[tuple[str, str]]) -> list[Column]:
    """Descending by the first time column, then ascending by the first text column."""
    times = [column for column, kind in columns if kind in _TIMES]
    names = [column for column, kind in columns if kind == "string"]
    return [
        *(F.desc(quoted(column)) for column in times[:1]),
        *(F.asc(quoted(column)) for column in names[:1]),
    ]


def _suggested(frame: DataFrame, spec: ChartSpec) -> ReportChart | None:
    """The chart with its values; None if a group that should have one row has several."""
    take = F.try_sum if spec.aggregate == "sum" else F.any_value
    groups = [F.col(quoted(column)) for column in (spec.x, spec.series) if column]
    taken = [take(F.col(quoted(column))).alias(column) for column in spec.measures]
    present = frame.where(groups[0].isNotNull())
    grouped = present.groupBy(*groups).agg(*taken, F.count(F.lit(1)).alias("_gs_rows"))
    if spec.limit is not None:
        grouped = grouped.orderBy(F.desc_nulls_last(quoted(spec.measures[0])), groups[0]).limit(spec.limit)
    else:
        newest = [F.desc(quoted(column)) for column in (spec.x, spec.series) if column]
        grouped = grouped.orderBy(*newest).limit(MAX_POINTS)
    rows = fetch(grouped)
    if spec.aggregate == "only" and any(row[-1] != 1 for row in rows):
        return None
    values: list[tuple[Cell, ...]] = [row[:-1] for row in rows]
    if spec.limit is None:
        values.reverse()
        if len(rows) == MAX_POINTS:
            spec = replace(spec, title=f"{spec.title}, latest")
    return chart_from(spec, values)


def _declared(frame: DataFrame, query: ChartQuery, table: str, path: str) -> ReportChart:
    """The declared chart with its values, or with the reason why its expressions cannot be computed."""
    try:
        rows = _declared_rows(frame, query)
    except PySparkException as error:
        reason = explained(error, table=table, path=path)
        if not isinstance(reason, RunError):
            raise reason from error
        return ReportChart(query.kind, query.title, query.x_label, (), problem=reason.message)
    if query.kind == "line" and len(rows) == MAX_POINTS:
        query = replace(query, title=f"{query.title}, latest")
    return chart_of(query, rows)


def _declared_rows(frame: DataFrame, query: ChartQuery) -> list[tuple[Cell, ...]]:
    present = frame.where(F.expr(query.where)) if query.where else frame
    measures = [F.expr(sql).alias(f"_gs_measure_{at}") for at, (_, sql) in enumerate(query.measures)]
    if query.x is None:
        return fetch(present.agg(*measures))
    keys = [F.expr(key).alias(f"_gs_key_{at}") for at, key in enumerate((query.x, *query.splits))]
    names = [f"_gs_key_{at}" for at in range(len(keys))]
    values = present.groupBy(*keys).agg(*measures)
    if query.bars is None:
        newest = values.where(F.col(names[0]).isNotNull()).orderBy(*(F.desc(name) for name in names))
        return fetch(newest.limit(MAX_POINTS))[::-1]
    ordered = F.desc_nulls_last if query.bars.is_descending else F.asc_nulls_last
    by = (ordered("_gs_order"), *(F.asc_nulls_last(name) for name in names))
    bars = present.groupBy(keys[0]).agg(F.expr(query.bars.order).alias("_gs_order"))
    bars = bars.orderBy(*by[:2]).limit(query.bars.limit).withColumnRenamed(names[0], "_gs_bar")
    found = values.join(F.broadcast(bars), F.col(names[0]).eqNullSafe(F.col("_gs_bar"))).orderBy(*by)
    rows = fetch(found.drop("_gs_bar", "_gs_order"))
    return rows[::-1] if query.bars.is_reversed else rows
