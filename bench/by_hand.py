"""The 15 tables of the flights in plain PySpark and Delta, the baseline of the measurements.

The queries are those of `pipelines/flights`. Loads, checks, quarantine and the list of loaded files are implemented
here without Goldsmith.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, Row, SparkSession, Window
from pyspark.sql import functions as F

from checks_by_hand import BRONZE_CHECKS, GOLD_CHECKS, SILVER_CHECKS, Check

QUERIES = Path(__file__).parents[1] / "pipelines" / "flights"

SCHEMAS = {
    "departures": "year int, month int, day int, dep_time int, sched_dep_time int, dep_delay int, arr_time int, "
    "sched_arr_time int, arr_delay int, carrier string, flight int, tailnum string, origin string, dest string, "
    "air_time int, distance int, hour int, minute int, time_hour timestamp, delivery_kind string, delivered_on date",
    "weather": "origin string, year int, month int, day int, hour int, temp double, dewp double, humid double, "
    "wind_dir int, wind_speed double, wind_gust double, precip double, pressure double, visib double, "
    "time_hour timestamp, delivered_on date",
    "planes": "tailnum string, year int, type string, manufacturer string, model string, engines int, seats int, "
    "speed int, engine string, snapshot_on date",
    "airports": "faa string, name string, lat double, lon double, alt int, tz int, dst string, tzone string, "
    "snapshot_on date",
    "airlines": "carrier string, name string, snapshot_on date",
}

NO_FEED = "delta.enableChangeDataFeed"
"""The change feed is off, because nothing here reads it."""


@dataclass(frozen=True)
class Merged:
    """The merge of a silver table. pruned_by: the key column whose range avoids reading old files."""

    key: tuple[str, ...]
    newest_by: tuple[str, ...]
    pruned_by: str | None = None


SILVER = {
    "planes": Merged(("tailnum",), ("snapshot_on",)),
    "airports": Merged(("faa",), ("snapshot_on",)),
    "airlines": Merged(("carrier",), ("snapshot_on",)),
    "weather": Merged(("origin", "observed_at"), ("delivered_on",), "observed_at"),
    "departures": Merged(
        ("flight_date", "carrier", "flight", "origin"), ("has_actuals", "delivered_on"), "flight_date"
    ),
}


class GateFailed(Exception):  # noqa: N818 - a result of the data, not an error
    """A check with the action `fail` failed; its table was not written."""


def load_day(spark: SparkSession, landing: Path, warehouse: Path) -> None:
    """Loads all new files in the landing folder and updates all tables, one after the other.

    Raises GateFailed; the tables before the failed one are already written.
    """
    with ExitStack() as stack:
        load = _Load(spark, landing, warehouse, stack)
        changed = {name: seen for name in SILVER if (seen := _load_source(load, name)) is not None}
        _load_gold(load, changed)


@dataclass(frozen=True)
class _Load:
    """One call of `load_day`. stack: releases cached frames at the end of the load."""

    spark: SparkSession
    landing: Path
    warehouse: Path
    stack: ExitStack
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def path(self, table: str) -> str:
        return str(self.warehouse / table.replace(".", "/"))

    def read(self, table: str) -> DataFrame:
        return self.spark.read.format("delta").load(self.path(table))

    def cached(self, frame: DataFrame) -> DataFrame:
        frame = frame.cache()
        self.stack.callback(frame.unpersist)
        return frame

    def query(self, table: str, frames: Mapping[str, DataFrame]) -> DataFrame:
        text = (QUERIES / f"{table.replace('.', '/')}.sql").read_text(encoding="utf-8")
        for upstream in frames:
            text = text.replace(upstream, "{" + upstream.replace(".", "_") + "}")
        named: dict[str, Any] = {name.replace(".", "_"): frame for name, frame in frames.items()}
        return self.spark.sql(text, **named)


def _load_source(load: _Load, name: str) -> Row | None:
    """Appends a source's new files to bronze and merges them into silver; None without new files.

    The returned row has the range and the dates of the batch, from `_examine`.
    """
    ledger = load.warehouse / "ledger" / f"{name}.json"
    known = set(json.loads(ledger.read_text())) if ledger.is_file() else set()
    new = {_identity(path): path for path in sorted((load.landing / name).glob("*.csv"))}
    new = {identity: path for identity, path in new.items() if identity not in known}
    if not new:
        return None
    delivered = _delivered(load, name, [str(path) for path in new.values()])
    bronze = f"bronze.{name}"
    seen = _examine(load, bronze, delivered, BRONZE_CHECKS.get(name, ()))
    kept = _kept(load, bronze, delivered, seen)
    kept.write.format("delta").option(NO_FEED, "false").mode("append").save(load.path(bronze))
    _write_whole(ledger, json.dumps(sorted({*known, *new})))
    return _merge_silver(load, name, kept)


def _identity(path: Path) -> str:
    stat = path.stat()
    return f"{path.parent.name}/{path.name}:{stat.st_size}:{stat.st_mtime_ns}"


def _write_whole(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".tmp")
    partial.write_text(text)
    partial.replace(path)


def _delivered(load: _Load, name: str, paths: list[str]) -> DataFrame:
    reader = load.spark.read.schema(f"{SCHEMAS[name]}, _malformed string")
    reader = reader.options(
        header="true",
        nullValue="NA",
        enforceSchema="false",
        mode="PERMISSIVE",
        columnNameOfCorruptRecord="_malformed",
    )
    rows = reader.csv(paths).select(
        "*",
        F.col("_metadata.file_path").alias("_source_file"),
        F.col("_metadata.file_modification_time").alias("_source_modified"),
        F.col("_metadata.file_size").alias("_source_size"),
        F.lit(load.at).alias("_ingested_at"),
        F.lit(load.run_id).alias("_run_id"),
    )
    malformed = F.when(F.col("_malformed").isNotNull(), F.array(F.lit("malformed")))
    return load.cached(rows.withColumn("_reasons", F.coalesce(malformed, F.array().cast("array<string>"))))


def _merge_silver(load: _Load, name: str, bronze_rows: DataFrame) -> Row:
    table, how, checks = f"silver.{name}", SILVER[name], SILVER_CHECKS[name]
    rows = load.query(table, {f"bronze.{name}": bronze_rows})
    columns = rows.columns
    if name == "departures":
        for column, register, key in (("tailnum", "planes", "tailnum"), ("dest", "airports", "faa")):
            known = load.read(f"silver.{register}").select(F.col(key).alias(column)).distinct()
            rows = rows.join(F.broadcast(known.withColumn(f"_in_{register}", F.lit(True))), column, "left")
    broken = [
        F.when(F.expr(f"NOT coalesce({check.holds}, true)"), F.lit(check.name))
        for check in checks
        if check.otherwise == "quarantine"
    ]
    rows = load.cached(rows.withColumn("_reasons", F.array_compact(F.array(*broken))))
    extra = {}
    if how.pruned_by:
        extra = {
            "_low": f"CAST(min({how.pruned_by}) AS STRING)",
            "_high": f"CAST(max({how.pruned_by}) AS STRING)",
        }
    if name == "departures":
        extra["_dates"] = "collect_set(CAST(flight_date AS STRING))"
    seen = _examine(load, table, rows, checks, extra)
    _merge(load, table, how, _kept(load, table, rows, seen).select(*columns), seen)
    return seen


def _merge(load: _Load, table: str, how: Merged, rows: DataFrame, seen: Row) -> None:
    order = [F.col(name).desc() for name in how.newest_by]
    rank = F.row_number().over(Window.partitionBy(*how.key).orderBy(*order))
    newest = rows.withColumn("_rank", rank).where("_rank = 1").drop("_rank")
    path = load.path(table)
    if not DeltaTable.isDeltaTable(load.spark, path):
        new = DeltaTable.createIfNotExists(load.spark).location(path).addColumns(rows.schema)
        new = new.property(NO_FEED, "false")
        (new.clusterBy(how.pruned_by) if how.pruned_by else new).execute()
    on = [f"t.{name} = s.{name}" for name in how.key]
    if how.pruned_by and seen["_low"] is not None:
        on.append(f"t.{how.pruned_by} BETWEEN '{seen['_low']}' AND '{seen['_high']}'")
    left, right = (", ".join(f"{side}.{name}" for name in how.newest_by) for side in "st")
    merge = DeltaTable.forPath(load.spark, path).alias("t").merge(newest.alias("s"), " AND ".join(on))
    merge = merge.whenMatchedUpdateAll(f"struct({left}) > struct({right})")
    merge.whenNotMatchedInsertAll().execute()


def _load_gold(load: _Load, changed: Mapping[str, Row]) -> None:
    if "departures" in changed:
        dates = sorted(changed["departures"]["_dates"])
        touched = load.cached(load.read("silver.departures").where(_among("flight_date", dates)))
        for name in ("daily_punctuality", "aircraft_days"):
            rows = load.query(f"gold.{name}", {"silver.departures": touched})
            _write_gold(load, name, rows, _among("flight_date", dates))
    if {"departures", "airlines"} & set(changed):
        frames = {name: load.read(name) for name in ("silver.departures", "silver.airlines")}
        replaced = None
        if "airlines" not in changed:
            months = sorted({f"{day[:7]}-01" for day in changed["departures"]["_dates"]})
            replaced = _among("month", months)
            of_months = _among("trunc(flight_date, 'MONTH')", months)
            # Delta compares the range with its file statistics; the list alone would read all files.
            reach = f"flight_date BETWEEN '{months[0]}' AND last_day('{months[-1]}')"
            frames["silver.departures"] = frames["silver.departures"].where(f"{reach} AND {of_months}")
        _write_gold(load, "carrier_month", load.query("gold.carrier_month", frames), replaced)
    for name, upstreams in (
        ("route_punctuality", ("departures", "airports")),
        ("weather_delay", ("departures", "weather")),
    ):
        if set(upstreams) & set(changed):
            frames = {f"silver.{upstream}": load.read(f"silver.{upstream}") for upstream in upstreams}
            _write_gold(load, name, load.query(f"gold.{name}", frames), None)


def _among(expression: str, dates: Sequence[str]) -> str:
    days = ", ".join(f"DATE '{day}'" for day in dates)
    return f"{expression} IN ({days})"


def _write_gold(load: _Load, name: str, rows: DataFrame, replaced: str | None) -> None:
    """Checks a gold table's new rows and writes them. replaced: the condition of the replaced rows; None for all."""
    table = f"gold.{name}"
    rows = load.cached(rows)
    _examine(load, table, rows, GOLD_CHECKS[name])
    writer = rows.write.format("delta").option(NO_FEED, "false").mode("overwrite")
    if replaced is not None:
        writer = writer.option("replaceWhere", replaced)
    writer.save(load.path(table))


def _examine(
    load: _Load, table: str, rows: DataFrame, checks: Sequence[Check], extra: Mapping[str, str] | None = None
) -> Row:
    """Counts rows and the failures of each check in one job, and logs the counts. Raises GateFailed.

    extra: further aggregates by name.
    """
    quarantined = "count_if(size(_reasons) > 0)" if "_reasons" in rows.columns else "0"
    wanted = {"_rows": "count(*)", "_quarantined": quarantined, **(extra or {})}
    wanted |= {check.name: check.failures for check in checks}
    seen = rows.agg(*[F.expr(text).alias(name) for name, text in wanted.items()]).collect()[0]
    counts = {name: seen[name] for name in ("_rows", "_quarantined", *(check.name for check in checks))}
    log = load.warehouse / "checks.jsonl"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as stream:
        stream.write(json.dumps({"run_id": load.run_id, "table": table, **counts}) + "\n")
    failed = [check.name for check in checks if check.otherwise == "fail" and seen[check.name]]
    if failed:
        raise GateFailed(f"{table}: {', '.join(failed)}")
    return seen


def _kept(load: _Load, table: str, rows: DataFrame, seen: Row) -> DataFrame:
    """The valid rows; the others are appended to the table's quarantine with their reasons."""
    if seen["_quarantined"]:
        content = [name for name in rows.columns if name != "_reasons"]
        quarantined = rows.where("size(_reasons) > 0").select(
            F.lit(load.run_id).alias("run_id"),
            F.lit(load.at).alias("held_at"),
            F.col("_reasons").alias("reasons"),
            F.to_json(F.struct(*content)).alias("row"),
        )
        path = load.path(f"quarantine.{table.replace('.', '_')}")
        quarantined.write.format("delta").option(NO_FEED, "false").mode("append").save(path)
    return rows.where("size(_reasons) = 0").drop("_reasons", "_malformed")
