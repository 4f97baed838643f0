"""Reads a table or query of a database through JDBC, and finds what changed since earlier reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    DataType,
    DateType,
    DecimalType,
    NumericType,
    StructField,
    TimestampNTZType,
    TimestampType,
)

from goldsmith.engine.row_literals import literal_of
from goldsmith.engine.row_values import named
from goldsmith.errors import SourceError, Where
from goldsmith.project.connections import ConnectionSpec
from goldsmith.project.scheduling import as_duration
from goldsmith.project.sources import DELETED, JdbcSource
from goldsmith.project.sql.text import quoted

_LOAD = "_gs_load"
_NEWEST = "_gs_newest"
_BATCH = 10_000
_PADDING = "spark.sql.readSideCharPadding"

_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "postgresql": {"loginTimeout": "10", "tcpKeepAlive": "true", "ApplicationName": "goldsmith"},
    "mysql": {
        "connectTimeout": "10000",
        "tcpKeepAlive": "true",
        "connectionAttributes": "program_name:goldsmith",
        # Times are sent in the zone of the session, which is that of Spark.
        "connectionTimeZone": "UTC",
        "forceConnectionTimeZoneToSession": "true",
        # Rows are fetched in batches, and not the whole result.
        "useCursorFetch": "true",
        # A tinyint(1) has more than two values.
        "tinyInt1isBit": "false",
        "yearIsDateType": "false",
    },
}
"""Properties of drivers, by database system."""

_ANY_SCALE = DecimalType(38, 18)
"""The type that Spark gives to PostgreSQL's `numeric` without a precision, whose values may have more digits."""

_FAILURE = re.compile(
    r"\b((?:org\.postgresql|org\.sqlite|org\.mariadb|com\.mysql|java\.sql|java\.net)\.[\w.$]*Exception): ([^\n]+)"
)
_GONE = re.compile(
    r"(?i)connect|communications link|i/o error|terminat|time.?out|timed out|starting up|shutting down|unknown ?host|reset|closed"
)


@dataclass(frozen=True)
class Database:
    """A declared source and its connection, with variables replaced. table: whose rows are read, for messages."""

    connection: ConnectionSpec
    source: JdbcSource
    table: str

    def error(self, message: str, hint: str, *, retryable: bool = False) -> SourceError:
        """The error of this source: GS310."""
        read = f"`{self.source.table}`" if self.source.table is not None else "The query"
        return SourceError(
            "GS310",
            f"{read} of the connection `{self.source.jdbc}` {message}.",
            where=Where(table=self.table),
            hint=hint,
            retryable=retryable,
        )


def open_rows(spark: SparkSession, database: Database) -> DataFrame:
    """The rows of the table or query, read in ranges if `split_by` is declared.

    Values that Spark's types do not have are read as text. Raises SourceError GS310 for a column that is missing or unsuitable.
    """
    # Spark would pad values of `char`. Databases whose values have these spaces deliver them.
    padded = spark.conf.get(_PADDING)
    spark.conf.set(_PADDING, "false")
    try:
        return _open_rows(spark, database)
    finally:
        spark.conf.set(_PADDING, str(padded))


def _open_rows(spark: SparkSession, database: Database) -> DataFrame:
    source = database.source
    rows = _reader(spark, database, source.relation).load()
    known = {name.lower(): name for name in rows.columns}
    for name in source.named:
        if name.lower() not in known:
            raise database.error(
                f"has no column `{name}`",
                f"Its columns are {', '.join(rows.columns)}. Correct the declaration.",
            )
    options = {}
    texts = [field.name for field in rows.schema.fields if _is_text(field, database.connection.system)]
    if texts:
        options["customSchema"] = ", ".join(f"{quoted(name)} STRING" for name in texts)
    if source.split_by is not None and source.parallel > 1:
        options |= _ranges(spark, database, known[source.split_by.lower()], source.parallel)
    if options:
        rows = _reader(spark, database, source.relation).options(**options).load()
    # Without the limits of varchar and char, which the database checks itself, and may change.
    return rows.select(*[F.col(quoted(name)).alias(name, metadata={}) for name in rows.columns])


def _is_text(field: StructField, system: str) -> bool:
    """Whether a column is read as text, because Spark's type would change its values.

    Spark rounds decimals of more than 38 digits, and makes a time of day a moment of 1970.
    """
    kind, known = field.dataType, field.metadata
    if system == "postgresql" and kind == _ANY_SCALE:
        return True
    if isinstance(kind, DecimalType) and known.get("scale", 0) > kind.scale:
        return True
    return system in _OPTIONS and bool(known.get("logical_time_type"))


def _reader(spark: SparkSession, database: Database, relation: str) -> DataFrameReader:
    connection = database.connection
    options = {
        "url": connection.url,
        "dbtable": relation,
        "fetchsize": str(_BATCH),
        # A time without a zone stays one.
        "preferTimestampNTZ": "true",
        **_OPTIONS.get(connection.system, {}),
    }
    options |= {"user": connection.user} if connection.user is not None else {}
    options |= {"password": connection.password} if connection.password is not None else {}
    return spark.read.format("jdbc").options(**options)


def _ranges(spark: SparkSession, database: Database, column: str, parallel: int) -> dict[str, str]:
    """The options for reading ranges of a column. No range is left out: the first and last one are open."""
    dialects = spark.sparkContext._jvm.org.apache.spark.sql.jdbc.JdbcDialects  # type: ignore[union-attr]
    name = dialects.get(database.connection.url).quoteIdentifier(column)
    ends = f"(SELECT min({name}) AS low, max({name}) AS high FROM {database.source.relation}) goldsmith_ends"
    frame = _reader(spark, database, ends).load()
    kind = frame.schema["low"].dataType
    if not isinstance(kind, NumericType | DateType | TimestampType | TimestampNTZType):
        raise database.error(
            f"cannot be split by `{column}`, which is {kind.simpleString()}",
            "Name a number, a date or a time.",
        )
    bounds = frame.selectExpr("CAST(low AS string) AS low", "CAST(high AS string) AS high").first()
    if bounds is None or bounds["low"] is None:
        return {}
    return {
        "partitionColumn": column,
        "lowerBound": bounds["low"],
        "upperBound": bounds["high"],
        "numPartitions": str(parallel),
    }


def first_value(database: Database, rows: DataFrame, last: str) -> str:
    """SQL: the first cursor value to read, `overlap` before the last one. last: a SQL literal. Raises GS310."""
    overlap, cursor = database.source.overlap, str(database.source.cursor)
    if overlap is None:
        return last
    kind = rows.select(quoted(cursor)).schema[0].dataType
    if isinstance(overlap, int):
        if not isinstance(kind, NumericType):
            raise _wrong_overlap(database, kind, "a length of time, such as 10m")
        return f"{last} - {overlap}"
    length = as_duration(overlap)
    if isinstance(kind, DateType):
        return f"date_sub({last}, {-(-length // timedelta(days=1))})"
    if isinstance(kind, TimestampType | TimestampNTZType):
        return f"{last} - INTERVAL {int(length.total_seconds())} SECOND"
    raise _wrong_overlap(database, kind, "a number")


def _wrong_overlap(database: Database, kind: DataType, wanted: str) -> SourceError:
    source = database.source
    return database.error(
        f"has the cursor `{source.cursor}` of the type {kind.simpleString()}, and `overlap` is {source.overlap}",
        f"Write {wanted}.",
    )


def newest_cursor(rows: DataFrame, cursor: str) -> str | None:
    """The greatest cursor value of some rows as a SQL literal; None without rows."""
    kind = rows.select(quoted(cursor)).schema[0].dataType
    found = rows.selectExpr(f"{literal_of(f'max({quoted(cursor)})', kind)} AS newest").first()
    return found["newest"] if found is not None else None


def earlier_rows(spark: SparkSession, paths: Sequence[str], rows: DataFrame, database: Database) -> DataFrame:
    """The rows of earlier loads in the columns of `rows`, with the number of their load and DELETED.

    paths: their files, each in a folder whose name begins with the number of its load. Raises SourceError GS310 if the
    type of a column changed.
    """
    before = spark.read.option("mergeSchema", "true").parquet(*paths)
    types = {field.name.lower(): field.dataType for field in before.schema.fields}
    for field in rows.schema.fields:
        former = types.get(field.name.lower(), field.dataType)
        if former != field.dataType:
            raise database.error(
                f"has the column `{field.name}` with the type {field.dataType.simpleString()}, and earlier loads "
                f"read {former.simpleString()}",
                f"Cast it in a `query`, as in `SELECT CAST({field.name} AS ...) AS {field.name}`, or declare a new "
                "table. Nothing was loaded.",
            )
    columns = [
        F.col(quoted(field.name))
        if field.name.lower() in types
        else F.lit(None).cast(field.dataType).alias(field.name)
        for field in rows.schema.fields
    ]
    deleted = F.coalesce(F.col(DELETED), F.lit(False)) if DELETED in types else F.lit(False)
    load = F.expr(r"CAST(regexp_extract(_metadata.file_path, r'/(\d+)-[^/]*/[^/]*$', 1) AS bigint)")
    return before.select(*columns, deleted.alias(DELETED), load.alias(_LOAD))


def current_rows(earlier: DataFrame, key: Sequence[str]) -> DataFrame:
    """The newest row of each key among the rows of earlier loads, without deleted ones."""
    keys = ", ".join(map(quoted, key))
    ranked = earlier.selectExpr("*", f"rank() OVER (PARTITION BY {keys} ORDER BY {_LOAD} DESC) AS {_NEWEST}")
    return ranked.where(f"{_NEWEST} = 1 AND NOT {DELETED}").drop(_NEWEST)


def new_rows(rows: DataFrame, known: DataFrame | None) -> DataFrame:
    """The rows that are not among the known ones, as multisets."""
    if known is None:
        return rows
    return rows.exceptAll(known.select(*named(rows.columns)))


def deleted_rows(keys: DataFrame, known: DataFrame, columns: DataFrame) -> DataFrame:
    """The known keys that the database lacks, as rows with NULL in the other columns. keys: those of the database."""
    key = keys.columns
    gone = known.select(*named(key)).join(keys, key, "left_anti")
    present = set(key)
    return gone.select(
        *[
            F.col(quoted(field.name))
            if field.name in present
            else F.lit(None).cast(field.dataType).alias(field.name)
            for field in columns.schema.fields
        ]
    )


def repeated_key(rows: DataFrame, key: Sequence[str]) -> str | None:
    """A key that several rows have, or NULL in a key, as text; None if there is none."""
    missing = " OR ".join(f"{quoted(name)} IS NULL" for name in key)
    counted = rows.groupBy(*named(key)).count().where(f"count > 1 OR {missing}")
    shown = ", ".join(f"coalesce(CAST({quoted(name)} AS string), 'NULL')" for name in key)
    found = counted.selectExpr(f"concat_ws(', ', {shown}) AS shown").first()
    return found["shown"] if found is not None else None


def failure(database: Database, error: Exception) -> SourceError | None:
    """The error of a database that is not available or refuses the query; None for other exceptions."""
    text = str(error)
    java = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while java is not None:
        text += f"\n{java.toString()}"
        java = java.getCause()
    found = _FAILURE.search(text)
    if found is None:
        if "No suitable driver" not in text:
            return None
        return database.error(
            f"needs a driver for {database.connection.system}",
            "Add its jar to the profile: `spark: {conf: {spark.jars: /path/driver.jar}}`.",
        )
    message = found[2].strip().rstrip(".")
    retryable = bool(_GONE.search(message)) or found[1].startswith("java.net")
    return database.error(
        f"cannot be read: {message}",
        "Run it again when the database responds: nothing was loaded."
        if retryable
        else "Check the connection, the account and the declared names: nothing was loaded.",
        retryable=retryable,
    )
