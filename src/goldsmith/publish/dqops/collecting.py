"""DQOps' results in the lake: `ops.dqops_results`, one row per series and day, merged by id and series name.

The server's files are copied first, because the server replaces them while it runs.

Without a data grouping all series of a check share one id, as imported verdicts once did. So the merge key includes the
series name. Imported verdicts are merged by name only, because their id may have changed.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession, functions

from goldsmith.engine.conditions import is_conflict
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.engine.failures import explained
from goldsmith.errors import GoldsmithError, RunError
from goldsmith.publish.dqops.names import IMPORT_CHECK, NO_GROUP
from goldsmith.publish.dqops.snapshot import copy_results, data_folder
from goldsmith.run.context import Run
from goldsmith.run.locks import ops_lock
from goldsmith.run.records import make_results

TABLE = "ops.dqops_results"
ATTEMPTS = 10

_BOUNDS = ", ".join(
    f"{s}_{b}_bound double" for s in ("warning", "error", "fatal") for b in ("lower", "upper")
)
_STORED = (
    "id string, schema_name string, table_name string, column_name string, check_name string, check_type string, "
    "data_group_name string, check_category string, quality_dimension string, severity int, actual_value double, "
    "expected_value double, time_period timestamp_ntz, time_gradient string, executed_at timestamp, duration_ms int, "
    f"incident_hash bigint, {_BOUNDS}"
)
"""The columns that are read from DQOps' files, of more than 60."""

_SAME = f"""
t.`table` = s.`table` AND t.`column` <=> s.`column` AND t.`check` = s.`check` AND t.day = s.day
AND nullif(t.series, '{NO_GROUP}') <=> s.series AND (t.id = s.id OR s.`check` = '{IMPORT_CHECK}')
"""
"""Whether an existing row, t, and a new row, s, belong to the same series and day."""


@dataclass(frozen=True)
class Collected:
    """The result of a collection: files read, new results, and results changed by a later evaluation."""

    files: int
    new: int
    changed: int


def collect(spark: SparkSession, run: Run, data: Path | None = None) -> Collected:
    """Merges DQOps' results into `ops.dqops_results`; repeated results change nothing.

    data: the server's folder `.data`; default: `data_folder`. Raises SourceError GS706 if it does not exist or a file
    is broken, StorageError if the table cannot be read or written.
    """
    source = data or data_folder(run.project.root)
    path = run.path(TABLE)
    try:
        with ops_lock(run), tempfile.TemporaryDirectory(prefix="goldsmith-") as folder:
            existing = _existing(spark, path)
            # Rows in the legacy format lack series that the server may still have, in any month.
            files = copy_results(source, Path(folder), None if existing.legacy else existing.month)
            if not files:
                return Collected(0, 0, 0)
            with _readable(spark, run, Path(folder) / "check_results") as place:
                collected = _merged(spark, path, _read(spark, place), files)
            if existing.legacy:
                DeltaTable.forPath(spark, path).update(f"series = '{NO_GROUP}'", {"series": "NULL"})
            return collected
    except GoldsmithError:
        raise
    except Exception as error:
        raise explained(error, table=TABLE, path=path) from error


@dataclass(frozen=True)
class _Existing:
    """The state of the table. month: of its newest result, because older ones no longer change.

    legacy: whether it has rows merged by id only, with the placeholder for no group as their series name.
    """

    month: date | None = None
    legacy: bool = False


def _existing(spark: SparkSession, path: str) -> _Existing:
    if TableLog(path).version() == NO_TABLE:
        return _Existing()
    rows = spark.read.format("delta").load(path)
    found = rows.selectExpr("max(day) AS day", f"count_if(series = '{NO_GROUP}') AS legacy").first()
    return _Existing() if found is None or found.day is None else _Existing(found.day, found.legacy > 0)


@contextmanager
def _readable(spark: SparkSession, run: Run, folder: Path) -> Iterator[str]:
    """The copy at a path that all executors can read. The local disk qualifies only for a local master."""
    if str(spark.conf.get("spark.master", "local")).startswith("local"):
        yield folder.as_uri()
        return
    with uploaded(spark, f"{run.warehouse}/ops/_dqops_incoming/{uuid.uuid4().hex}", folder) as place:
        yield place


@contextmanager
def uploaded(spark: SparkSession, place: str, folder: Path) -> Iterator[str]:
    """A local folder uploaded to a path in the warehouse's store for the duration of the block."""
    jvm: Any = spark._jvm
    to = jvm.org.apache.hadoop.fs.Path(place)
    system = to.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())
    try:
        system.mkdirs(to.getParent())
        system.copyFromLocalFile(False, True, jvm.org.apache.hadoop.fs.Path(folder.as_uri()), to)
        yield place
    finally:
        system.delete(to, True)


def _read(spark: SparkSession, place: str) -> DataFrame:
    """DQOps' stored results as rows of the table: the latest one per series and day."""
    stored = spark.read.schema(_STORED).option("recursiveFileLookup", "true").parquet(place)
    severity = "CASE severity WHEN 3 THEN 'fatal' WHEN 2 THEN 'error' ELSE 'warning' END"
    daily = stored.where("check_type = 'monitoring' AND time_gradient = 'day' AND id IS NOT NULL")
    series = f"nullif(nullif(data_group_name, ''), '{NO_GROUP}')"
    key = f"IF(check_name = '{IMPORT_CHECK}', concat_ws('.', schema_name, table_name, time_period), id), {series}"
    order = "executed_at DESC, severity DESC, actual_value DESC"
    newest = daily.selectExpr(
        "*",
        f"row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS _rank",
        f"{severity} AS _severity",
        f"{series} AS series",
    )
    return newest.where("_rank = 1").selectExpr(
        "id",
        "concat(schema_name, '.', table_name) AS `table`",
        "nullif(column_name, '') AS `column`",
        "check_name AS `check`",
        "series",
        "check_category AS category",
        "quality_dimension AS dimension",
        "severity",
        *(f"nullif({name}, double('NaN')) AS {name}" for name in ("actual_value", "expected_value")),
        *(_bound(name) for name in ("lower_bound", "upper_bound")),
        "CAST(time_period AS date) AS day",
        "executed_at",
        "duration_ms",
        "incident_hash AS incident",
    )


def _bound(name: str) -> str:
    """The bound of the reached severity; of a valid result the nearest bound."""
    order = {
        s: [s, *(o for o in ("warning", "error", "fatal") if o != s)] for s in ("fatal", "error", "warning")
    }
    branches = " ".join(
        f"WHEN '{reached}' THEN coalesce({', '.join(f'{severity}_{name}' for severity in severities)})"
        for reached, severities in order.items()
    )
    return f"nullif(CASE _severity {branches} END, double('NaN')) AS {name}"


def _merged(spark: SparkSession, path: str, rows: DataFrame, files: int) -> Collected:
    for _ in range(ATTEMPTS):
        make_results(spark, path)
        target = DeltaTable.forPath(spark, path)
        joined = rows.alias("s").join(target.toDF().alias("t"), functions.expr(_SAME), "left")
        counts = (
            joined.where("t.id IS NULL OR s.executed_at > t.executed_at")
            .selectExpr("count_if(t.id IS NULL) AS added", "count_if(t.id IS NOT NULL) AS again")
            .first()
        )
        assert counts is not None  # an aggregate without groups has one row
        if not counts.added and not counts.again:
            return Collected(files, 0, 0)
        try:
            merge = target.alias("t").merge(rows.alias("s"), _SAME)
            merge = merge.whenMatchedUpdateAll("s.executed_at > t.executed_at")
            merge.whenNotMatchedInsertAll().execute()
        except Exception as error:
            if is_conflict(error):
                continue
            raise
        return Collected(files, int(counts.added), int(counts.again))
    raise RunError("GS502", f"The merge into {TABLE} gave up after {ATTEMPTS} conflicts.", retryable=True)
