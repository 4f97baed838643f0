"""The platform's own tables: their columns, what these mean, and the figures that dashboards show of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from goldsmith.project.models import Column, Metric


@dataclass(frozen=True)
class OpsTable:
    """A table of the schema `ops`. name: without the schema. columns: in order, each with its Spark type."""

    name: str
    description: str
    columns: Mapping[str, Column]
    metrics: Mapping[str, Metric]

    @property
    def types(self) -> dict[str, str]:
        return {name: column.type or "string" for name, column in self.columns.items()}

    def ordered(self, rows: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """Rows by column name as tuples in the columns' order; NULL for what a row lacks. Raises KeyError for a name
        that the table does not have."""
        found = []
        for row in rows:
            unknown = row.keys() - self.columns.keys()
            if unknown:
                raise KeyError(f"ops.{self.name} has no column {', '.join(sorted(unknown))}")
            found.append(tuple(row.get(name) for name in self.columns))
        return found


def _columns(text: str) -> dict[str, Column]:
    """Lines of name, type and meaning."""
    parts = (line.split(None, 2) for line in text.strip().splitlines())
    return {name: Column(type=kind, description=" ".join(rest)) for name, kind, *rest in parts}


def _metric(expression: str, label: str, description: str, form: str = ",d") -> Metric:
    return Metric(expression=expression, label=label, description=description, format=form)


TABLE_RUNS = OpsTable(
    "table_runs",
    "One row for each commit, and one for each table that failed or met a gate.",
    _columns("""
        table string Full name of the table.
        pipeline string Its pipeline.
        layer string Its layer.
        run_id string The run: its start and six random digits.
        counter bigint The commit; empty where there was none.
        status string done, failed or gate.
        mode string How it was loaded; empty where there was no commit.
        reason string Why it loaded, or what stopped it.
        interval_start date First day of the data interval, where one was named.
        interval_end date The day after its last.
        started_at timestamp When the table's load began.
        ended_at timestamp When the commit was made, or the load failed.
        seconds double How long the table's load took.
        rows_in bigint Rows that came in; empty, as the counts below, where there was no commit.
        written bigint Rows that were written.
        quarantined bigint Rows that were set aside.
        dropped bigint Rows that an expectation dropped.
        superseded bigint Rows that a newer one of their key replaced.
        filtered bigint Rows that the SQL left out, where that can be told.
        inserted bigint Keys that are new.
        updated bigint Keys that changed.
        deleted bigint Keys that left.
        balanced boolean Whether rows in and rows accounted for agree.
        error_code string The error's code, where it failed.
        message string What was wrong.
    """),
    {
        "runs": _metric("COUNT(DISTINCT run_id)", "Runs", "Runs that loaded something or failed."),
        "loads": _metric("COUNT(*)", "Loads", "Loads of single tables."),
        "failed_loads": _metric(
            "COUNT_IF(status = 'failed')", "Failed loads", "Loads of tables that ended in an error."
        ),
        "gated_loads": _metric("COUNT_IF(status = 'gate')", "Gated loads", "Loads that a gate stopped."),
        "stopped_loads": _metric(
            "COUNT_IF(status <> 'done')", "Stopped loads", "Loads that failed or that a gate stopped."
        ),
        "success_share": _metric(
            "COUNT_IF(status = 'done') / COUNT(*)",
            "Loads that went through",
            "Share of loads that ended well.",
            ".1%",
        ),
        "rows_written": _metric("SUM(written)", "Rows written", "Rows that loads wrote."),
        "rows_quarantined": _metric("SUM(quarantined)", "Rows quarantined", "Rows that loads set aside."),
        "quarantined_share": _metric(
            "SUM(quarantined) / SUM(rows_in)", "Rows set aside", "Share of the rows that came in.", ".2%"
        ),
        "unbalanced_loads": _metric(
            "COUNT_IF(NOT balanced)",
            "Unbalanced loads",
            "Loads whose rows do not add up: there should be none.",
        ),
        "seconds_loading": _metric(
            "SUM(seconds)", "Seconds of loading", "Time of all loads together.", ",.0f"
        ),
        "median_seconds": _metric(
            "PERCENTILE(seconds, 0.5)", "Median seconds", "Half of the loads took no longer.", ",.1f"
        ),
        "longest_seconds": _metric("MAX(seconds)", "Longest load", "Seconds of the slowest load.", ",.1f"),
        "last_load": _metric(
            "DATE_FORMAT(MAX(CASE WHEN status = 'done' THEN ended_at END), 'yyyy-MM-dd HH:mm')",
            "Last load",
            "When the table was last written.",
            "",
        ),
        "hours_since_load": _metric(
            "(UNIX_TIMESTAMP() - UNIX_TIMESTAMP(MAX(CASE WHEN status = 'done' THEN ended_at END))) / 3600",
            "Hours since last load",
            "Hours since the table was last written.",
            ",.1f",
        ),
        "data_up_to": _metric(
            "DATE_FORMAT(MAX(CASE WHEN status = 'done' THEN DATE_SUB(interval_end, 1) END), 'yyyy-MM-dd')",
            "Data up to",
            "Last day of the intervals that were loaded.",
            "",
        ),
    },
)

EXPECTATIONS = OpsTable(
    "expectations",
    "One row for each expectation of each commit, and of each load that a gate stopped.",
    _columns("""
        table string Full name of the table.
        run_id string The run.
        counter bigint The commit; empty where a gate stopped it.
        name string The expectation's name.
        kind string Great Expectations' name, or condition.
        otherwise string What happens to rows that fail: warn, drop, quarantine or fail.
        description string As declared, or made of kind and arguments.
        checked bigint Rows that were judged.
        failed bigint Rows at fault; 0 for aggregates.
        observed string The aggregate, or the share for mostly.
        ok boolean Whether it holds.
        accepted_by string Who let it pass.
        accepted_why string And why.
        samples array<string> Up to three failing rows as JSON.
        judged_at timestamp When it was judged.
    """),
    {
        "verdicts": _metric("COUNT(*)", "Verdicts", "Expectations that were judged."),
        "held": _metric("COUNT_IF(ok)", "Held", "Verdicts in which the expectation held."),
        "broken": _metric("COUNT_IF(NOT ok)", "Broken", "Verdicts in which it did not hold."),
        "held_share": _metric(
            "COUNT_IF(ok) / COUNT(*)", "Expectations that held", "Share of all verdicts.", ".1%"
        ),
        "rows_judged": _metric(
            "SUM(checked)", "Rows judged", "Rows that were judged, once for each expectation."
        ),
        "rows_failed": _metric(
            "SUM(failed)", "Rows that failed", "Rows at fault, once for each expectation."
        ),
        "failed_share": _metric(
            "SUM(failed) / SUM(checked)", "Share that failed", "Of the rows that were judged.", ".3%"
        ),
        "last_broken": _metric(
            "DATE_FORMAT(MAX(CASE WHEN NOT ok THEN judged_at END), 'yyyy-MM-dd HH:mm')",
            "Last broken",
            "When it last did not hold.",
            "",
        ),
    },
)

FILES = OpsTable(
    "files",
    "One row for each file that a bronze table loaded.",
    _columns("""
        table string Full name of the table.
        table_id string The Delta table's id: a table that was made again starts anew.
        path string Below the landing folder.
        size bigint Bytes.
        modified_ms bigint Modification time in milliseconds since 1970.
        etag string The object store's mark of the content, where there is one.
        counter bigint The commit that loaded it.
        run_id string The run.
        loaded_at timestamp When that commit was made.
    """),
    {
        "files": _metric("COUNT(*)", "Files", "Files that were loaded."),
        "bytes": _metric("SUM(size)", "Bytes", "Bytes of the files that were loaded.", ".3s"),
    },
)

DQOPS_RESULTS = OpsTable(
    "dqops_results",
    "One row for each series of a DQOps check and day.",
    _columns("""
        id string DQOps' own: the same series on the same day has the same.
        table string Full name of the table.
        column string The column; NULL for checks on the table.
        check string DQOps' name of the check.
        series string The imported expectation, or another data group; NULL without groups.
        category string DQOps' category of the check.
        dimension string DQOps' quality dimension.
        severity int 0 valid, 1 warning, 2 error, 3 fatal.
        actual_value double What was measured.
        expected_value double What the rule expected, where it says so.
        lower_bound double The limit of the severity that was met; of a valid result the nearest one.
        upper_bound double The same, above.
        day date The day that the result stands for, in UTC.
        executed_at timestamp When it was judged last.
        duration_ms int How long the query took.
        incident bigint The incident's hash, where there is one.
    """),
    {
        "results": _metric("COUNT(*)", "Results", "One for each series of a check and day."),
        "valid_results": _metric("COUNT_IF(severity = 0)", "Valid", "Results that are as they should be."),
        "warnings": _metric("COUNT_IF(severity = 1)", "Warnings", "Results that warn."),
        "errors": _metric("COUNT_IF(severity >= 2)", "Errors", "Results that are errors, fatal ones too."),
        "valid_share": _metric(
            "COUNT_IF(severity = 0) / COUNT(*)", "Share that is valid", "Of all results.", ".1%"
        ),
        "tables_checked": _metric("COUNT(DISTINCT `table`)", "Tables checked", "Tables with a result."),
        "last_checked": _metric(
            "DATE_FORMAT(MAX(executed_at), 'yyyy-MM-dd HH:mm')", "Last checked", "The newest result.", ""
        ),
    },
)

OPS_TABLES: tuple[OpsTable, ...] = (TABLE_RUNS, EXPECTATIONS, FILES, DQOPS_RESULTS)
"""Those that every lake with a catalog has, so that dashboards may show them."""
