"""The tables of the schema `ops`: their columns, descriptions and metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from goldsmith.project.models import Column, Metric


@dataclass(frozen=True)
class OpsTable:
    """A table of the schema `ops`. name: without the schema. columns: in order, each with a Spark type.

    expires_by: the column with the age of its rows; None if loads need all of them.
    """

    name: str
    description: str
    columns: Mapping[str, Column]
    metrics: Mapping[str, Metric]
    expires_by: str | None = None

    @property
    def types(self) -> dict[str, str]:
        return {name: column.type or "string" for name, column in self.columns.items()}

    def ordered(self, rows: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """Rows as tuples in the order of the columns; missing columns are NULL. Raises KeyError for unknown ones."""
        found = []
        for row in rows:
            unknown = row.keys() - self.columns.keys()
            if unknown:
                raise KeyError(f"ops.{self.name} has no column {', '.join(sorted(unknown))}")
            found.append(tuple(row.get(name) for name in self.columns))
        return found


def _columns(text: str) -> dict[str, Column]:
    """Parses lines of name, type and description."""
    parts = (line.split(None, 2) for line in text.strip().splitlines())
    return {name: Column(type=kind, description=" ".join(rest)) for name, kind, *rest in parts}


def _metric(expression: str, label: str, description: str, form: str = ",d") -> Metric:
    return Metric(expression=expression, label=label, description=description, format=form)


TABLE_RUNS = OpsTable(
    "table_runs",
    "One row for each commit, and one for each table that failed or was stopped by a gate.",
    _columns("""
        table string Full name of the table.
        pipeline string Its pipeline.
        layer string Its layer.
        run_id string The run: its start and six random digits.
        counter bigint The commit's counter; empty without a commit.
        status string done, failed or gate.
        mode string The mode of the load; empty without a commit.
        reason string Why the table was loaded, or why it was stopped.
        interval_start date First day of the data interval, if one was given.
        interval_end date The day after its last day.
        started_at timestamp When the table's load began.
        ended_at timestamp When the commit was made or the load failed.
        seconds double How long the table's load took.
        rows_in bigint Rows read; empty without a commit, as are the counts below.
        written bigint Rows that were written.
        quarantined bigint Rows that were quarantined.
        dropped bigint Rows that an expectation dropped.
        superseded bigint Rows superseded by a newer row of their key.
        filtered bigint Rows that the SQL filtered out; empty if unknown.
        inserted bigint Keys inserted.
        updated bigint Keys updated.
        deleted bigint Keys deleted.
        balanced boolean Whether rows read equal rows accounted for.
        error_code string The error's code, if the load failed.
        message string The error's message.
    """),
    {
        "runs": _metric("COUNT(DISTINCT run_id)", "Runs", "Runs that loaded something or failed."),
        "loads": _metric("COUNT(*)", "Loads", "Loads of single tables."),
        "failed_loads": _metric(
            "COUNT_IF(status = 'failed')", "Failed loads", "Loads that ended in an error."
        ),
        "gated_loads": _metric("COUNT_IF(status = 'gate')", "Gated loads", "Loads that a gate stopped."),
        "stopped_loads": _metric(
            "COUNT_IF(status <> 'done')", "Stopped loads", "Loads that failed or that a gate stopped."
        ),
        "success_share": _metric(
            "COUNT_IF(status = 'done') / COUNT(*)",
            "Successful loads",
            "Share of loads that succeeded.",
            ".1%",
        ),
        "rows_written": _metric("SUM(written)", "Rows written", "Rows that loads wrote."),
        "rows_quarantined": _metric("SUM(quarantined)", "Rows quarantined", "Rows that loads quarantined."),
        "quarantined_share": _metric(
            "SUM(quarantined) / SUM(rows_in)",
            "Quarantined rows",
            "Share of the rows read that were quarantined.",
            ".2%",
        ),
        "unbalanced_loads": _metric(
            "COUNT_IF(NOT balanced)",
            "Unbalanced loads",
            "Loads whose row counts do not add up. There should be none.",
        ),
        "seconds_loading": _metric("SUM(seconds)", "Seconds of loading", "Total time of all loads.", ",.0f"),
        "median_seconds": _metric(
            "PERCENTILE(seconds, 0.5)", "Median seconds", "Median time of a load.", ",.1f"
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
    expires_by="ended_at",
)

EXPECTATIONS = OpsTable(
    "expectations",
    "One row for each expectation of each commit and of each load that a gate stopped.",
    _columns("""
        table string Full name of the table.
        run_id string The run.
        counter bigint The commit's counter; empty if a gate stopped the load.
        name string The expectation's name.
        kind string Great Expectations' name, or condition.
        otherwise string The action for failing rows: warn, drop, quarantine or fail.
        description string As declared, or derived from kind and arguments.
        checked bigint Rows that were evaluated.
        failed bigint Failing rows; 0 for aggregates.
        observed string The aggregate, or the share for mostly.
        ok boolean Whether the expectation was met.
        accepted_by string Who accepted it although it was not met.
        accepted_why string The reason given.
        samples array<string> Up to three failing rows as JSON.
        judged_at timestamp When it was evaluated.
    """),
    {
        "verdicts": _metric("COUNT(*)", "Verdicts", "Expectations that were evaluated."),
        "held": _metric("COUNT_IF(ok)", "Met", "Evaluations in which the expectation was met."),
        "broken": _metric("COUNT_IF(NOT ok)", "Not met", "Evaluations in which the expectation was not met."),
        "held_share": _metric(
            "COUNT_IF(ok) / COUNT(*)", "Expectations met", "Share of all evaluations.", ".1%"
        ),
        "rows_judged": _metric(
            "SUM(checked)", "Rows evaluated", "Rows that were evaluated, counted once for each expectation."
        ),
        "rows_failed": _metric(
            "SUM(failed)", "Failing rows", "Failing rows, counted once for each expectation."
        ),
        "failed_share": _metric(
            "SUM(failed) / SUM(checked)",
            "Share of failing rows",
            "Share of the rows that were evaluated.",
            ".3%",
        ),
        "last_broken": _metric(
            "DATE_FORMAT(MAX(CASE WHEN NOT ok THEN judged_at END), 'yyyy-MM-dd HH:mm')",
            "Last not met",
            "When the expectation was last not met.",
            "",
        ),
    },
    expires_by="judged_at",
)

FILES = OpsTable(
    "files",
    "One row for each file that a bronze table has loaded.",
    _columns("""
        table string Full name of the table.
        table_id string The id of the Delta table; a table that was created again has another one.
        path string The path below the landing folder.
        size bigint The size in bytes.
        modified_ms bigint Modification time in milliseconds since 1970.
        etag string The object store's ETag; empty on a local disk.
        counter bigint The counter of the commit that loaded it.
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
        id string DQOps' id, the same for a series on one day.
        table string Full name of the table.
        column string The column; NULL for table-level checks.
        check string The check's name in DQOps.
        series string The imported expectation or another data group; NULL without groups.
        category string DQOps' category of the check.
        dimension string DQOps' quality dimension.
        severity int 0 valid, 1 warning, 2 error, 3 fatal.
        actual_value double The measured value.
        expected_value double The value that the rule expected, if it has one.
        lower_bound double The lower limit of the severity that was reached, or the nearest limit of a valid result.
        upper_bound double The upper limit, as above.
        day date The day of the result, in UTC.
        executed_at timestamp When the check ran last.
        duration_ms int The duration of the query in milliseconds.
        incident bigint The incident's hash, if there is one.
    """),
    {
        "results": _metric("COUNT(*)", "Results", "One for each series of a check and day."),
        "valid_results": _metric("COUNT_IF(severity = 0)", "Valid", "Valid results."),
        "warnings": _metric("COUNT_IF(severity = 1)", "Warnings", "Results of severity warning."),
        "errors": _metric("COUNT_IF(severity >= 2)", "Errors", "Results of severity error or fatal."),
        "valid_share": _metric(
            "COUNT_IF(severity = 0) / COUNT(*)",
            "Share of valid results",
            "Share of all results that are valid.",
            ".1%",
        ),
        "tables_checked": _metric("COUNT(DISTINCT `table`)", "Tables checked", "Tables with a result."),
        "last_checked": _metric(
            "DATE_FORMAT(MAX(executed_at), 'yyyy-MM-dd HH:mm')",
            "Last checked",
            "Time of the newest result.",
            "",
        ),
    },
    expires_by="executed_at",
)

OPS_TABLES: tuple[OpsTable, ...] = (TABLE_RUNS, EXPECTATIONS, FILES, DQOPS_RESULTS)
"""The tables that every lake with a catalog has; dashboards may read them."""
