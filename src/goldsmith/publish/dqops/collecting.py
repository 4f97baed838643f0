"""DQOps' results in the lake: `ops.dqops_results`, one row for each series and day, merged by its id and name.

The server's own files are copied first and never read in place: it replaces them while it runs.

Series of one check have one id where no data grouping is configured for it, as once for imported verdicts. So the
name counts with the id. Of imported verdicts it counts alone: one that has got an id of its own meanwhile is the same.
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

from goldsmith.engine.delta.log import NO_TABLE, TableLog
from goldsmith.engine.failures import explained, is_conflict
from goldsmith.errors import GoldsmithError, RunError
from goldsmith.publish.dqops.names import IMPORT_CHECK, NO_GROUP
from goldsmith.publish.dqops.snapshot import copied, data_folder
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
"""The columns of DQOps' files that are read, of more than 60."""

_SAME = f"""
t.`table` = s.`table` AND t.`column` <=> s.`column` AND t.`check` = s.`check` AND t.day = s.day
AND nullif(t.series, '{NO_GROUP}') <=> s.series AND (t.id = s.id OR s.`check` = '{IMPORT_CHECK}')
"""
"""Whether a row that is held, t, and one that comes, s, are of the same series and day."""


@dataclass(frozen=True)
class Collected:
    """What a collection did. files: that were read. new: results added; changed: results judged again since."""

    files: int
    new: int
    changed: int


def collect(spark: SparkSession, run: Run, data: Path | None = None) -> Collected:
    """Merges what DQOps' checks found into `ops.dqops_results`; the same results again change nothing.

    data: the server's folder `.data`, else as `data_folder` finds it. Raises SourceError GS706 where it is not
    there or a file of it is broken, StorageError where the table cannot be read or written.
    """
    source = data or data_folder(run.project.root)
    path = run.path(TABLE)
    try:
        with ops_lock(run), tempfile.TemporaryDirectory(prefix="goldsmith-") as folder:
            held = _held(spark, path)
            # Rows of the former kind lack series that the server may still have, in any month.
            files = copied(source, Path(folder), None if held.former else held.month)
            if not files:
                return Collected(0, 0, 0)
            with _readable(spark, run, Path(folder) / "check_results") as place:
                collected = _merged(spark, path, _read(spark, place), files)
            if held.former:
                DeltaTable.forPath(spark, path).update(f"series = '{NO_GROUP}'", {"series": "NULL"})
            return collected
    except GoldsmithError:
        raise
    except Exception as error:
        raise explained(error, table=TABLE, path=path) from error


@dataclass(frozen=True)
class _Held:
    """What the table holds. month: of its newest result, as older ones do not change any more.

    former: rows that were merged by their id alone, when the name of no group was taken for a series' name.
    """

    month: date | None = None
    former: bool = False


def _held(spark: SparkSession, path: str) -> _Held:
    if TableLog(spark, path).version() == NO_TABLE:
        return _Held()
    rows = spark.read.format("delta").load(path)
    found = rows.selectExpr("max(day) AS day", f"count_if(series = '{NO_GROUP}') AS former").first()
    return _Held() if found is None or found.day is None else _Held(found.day, found.former > 0)


@contextmanager
def _readable(spark: SparkSession, run: Run, folder: Path) -> Iterator[str]:
    """The copy at a place that every executor can read: this disk is one only for a local master."""
    if str(spark.conf.get("spark.master", "local")).startswith("local"):
        yield folder.as_uri()
        return
    with shared(spark, f"{run.warehouse}/ops/_dqops_incoming/{uuid.uuid4().hex}", folder) as place:
        yield place


@contextmanager
def shared(spark: SparkSession, place: str, folder: Path) -> Iterator[str]:
    """A folder of this disk at a place of the warehouse's store, as long as it is needed."""
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
    """The stored results as rows of the table: one for each series and day, the one executed last."""
    stored = spark.read.schema(_STORED).option("recursiveFileLookup", "true").parquet(place)
    severity = "CASE severity WHEN 3 THEN 'fatal' WHEN 2 THEN 'error' ELSE 'warning' END"
    daily = stored.where("check_type = 'monitoring' AND time_gradient = 'day' AND id IS NOT NULL")
    series = f"nullif(nullif(data_group_name, ''), '{NO_GROUP}')"
    key = f"IF(check_name = '{IMPORT_CHECK}', concat_ws('.', schema_name, table_name, time_period), id), {series}"
    order = "executed_at DESC, severity DESC, actual_value DESC"
    newest = daily.selectExpr(
        "*",
        f"row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS _place",
        f"{severity} AS _met",
        f"{series} AS series",
    )
    return newest.where("_place = 1").selectExpr(
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
    """The bound of the severity that was met; of a valid result the nearest that there is."""
    order = {
        s: [s, *(o for o in ("warning", "error", "fatal") if o != s)] for s in ("fatal", "error", "warning")
    }
    branches = " ".join(
        f"WHEN '{met}' THEN coalesce({', '.join(f'{severity}_{name}' for severity in severities)})"
        for met, severities in order.items()
    )
    return f"nullif(CASE _met {branches} END, double('NaN')) AS {name}"


def _merged(spark: SparkSession, path: str, rows: DataFrame, files: int) -> Collected:
    for _ in range(ATTEMPTS):
        make_results(spark, path)
        target = DeltaTable.forPath(spark, path)
        held = rows.alias("s").join(target.toDF().alias("t"), functions.expr(_SAME), "left")
        counts = (
            held.where("t.id IS NULL OR s.executed_at > t.executed_at")
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
    raise RunError("GS502", f"Other processes wrote {TABLE} {ATTEMPTS} times in between.", retryable=True)
