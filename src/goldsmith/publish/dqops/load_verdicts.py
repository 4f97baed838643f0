"""Verdicts of Goldsmith's loads in DQOps' console: the SQL of one import check per table.

Each expectation is a series: `grouping_level_1` names it, and the data grouping `verdicts` of the table's file gives it
an id. Without the grouping all series of a table share one id, and later ones replace the others. Only the newest
verdict of each declared expectation, and of `max_quarantined`, counts, so the state clears with the next load in which
it is met.
"""

from __future__ import annotations

from goldsmith.project.sql.text import text_literal
from goldsmith.project.system_columns import INGESTED_AT
from goldsmith.project.tables import Table
from goldsmith.publish.dqops.check import Check
from goldsmith.publish.dqops.names import GROUPING, IMPORT_CHECK

FRESHNESS_RULE = "fresh_within"
"""The name of the series with the age of a table's last load."""


def import_check(table: Table) -> Check | None:
    """The check that reads `ops.expectations` and, if freshness counts from the last load, `ops.table_runs`.

    Severity: 0 met; 1 failing rows were written, dropped or quarantined as declared, or accepted; 2 it stopped the
    load. None if there is nothing to import.
    """
    names = [each.name for each in table.verdicts]
    freshness = table.freshness
    parts = [_verdicts(names)] if names else []
    if freshness is not None and freshness.column is None and INGESTED_AT not in table.system_columns:
        parts.append(_age(freshness.days))
    if not parts:
        return None
    comment = "Verdicts of the loads: one series per expectation."
    return Check(
        "custom_sql",
        IMPORT_CHECK,
        # DQOps drops a severity without its key here.
        {"warning": {}, "error": {}, "fatal": {}},
        parameters={"sql_query": "\nUNION ALL\n".join(parts)},
        comments=(comment,),
        grouping=GROUPING,
    )


def _verdicts(names: list[str]) -> str:
    declared = ",\n              ".join(text_literal(name.replace("${", "$")) for name in names)
    return f"""\
SELECT CASE WHEN ok THEN 0 WHEN otherwise = 'fail' AND accepted_by IS NULL THEN 2 ELSE 1 END AS severity,
       CAST(failed AS DOUBLE) AS actual_value, CAST(0 AS DOUBLE) AS expected_value, name AS grouping_level_1
FROM (SELECT *, row_number() OVER (PARTITION BY name ORDER BY judged_at DESC, counter DESC) AS newest
      FROM ops.expectations
      WHERE `table` = '{{schema_name}}.{{table_name}}'
        AND name IN (
              {declared})) AS judged
WHERE newest = 1"""


def _age(days: float) -> str:
    return f"""\
SELECT CASE WHEN age > {days!r} THEN 2 ELSE 0 END AS severity,
       age AS actual_value, CAST({days!r} AS DOUBLE) AS expected_value, '{FRESHNESS_RULE}' AS grouping_level_1
FROM (SELECT CAST((unix_timestamp(current_timestamp()) - unix_timestamp(max(ended_at))) / 86400.0 AS DOUBLE) AS age
      FROM ops.table_runs
      WHERE `table` = '{{schema_name}}.{{table_name}}' AND status = 'done') AS loads
WHERE age IS NOT NULL"""
