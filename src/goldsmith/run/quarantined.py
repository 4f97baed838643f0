"""Reads quarantined rows in their original columns and types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StringType, StructField, StructType, VariantType

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.original_rows import original_columns
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.engine.delta.valid_entries import ENTERED_AS
from goldsmith.engine.row_values import EXACT_TIMES, named
from goldsmith.errors import DeclarationError
from goldsmith.project.sql.text import quoted
from goldsmith.project.tables import Table

ENTRY, WHY, SINCE, BY = "_gs_entry", "_gs_why", "_gs_since", "_gs_by"
"""Columns beside the row's: the entry's id, its reasons, the time in microseconds since 1970, and the run's id."""

_TYPED, _DOCUMENT = "_gs_typed", "_gs_document"
_ENTRY_COLUMNS = {ENTRY: "id", WHY: "reasons", SINCE: "unix_micros(held_at)", BY: "run_id"}


@dataclass(frozen=True)
class QuarantinedRows:
    """Quarantined rows with the same original columns. frame: these columns, with ENTRY, WHY, SINCE and BY."""

    frame: DataFrame
    columns: tuple[str, ...]


def original_rows(
    spark: SparkSession, table: Table, entries: DataFrame, log: TableLog, also: Mapping[str, DataType]
) -> list[QuarantinedRows]:
    """Reads entries of a table's quarantine, grouped by their original columns. One Spark job.

    log: the table's log. also: columns that the source adds to the table's.
    """
    beside = [F.expr(sql).alias(name) for name, sql in _ENTRY_COLUMNS.items()]
    if ENTERED_AS not in entries.columns:
        return [_rows_from_json(spark, table, entries, beside, log, also)]
    found = []
    for (text,) in entries.select(ENTERED_AS).distinct().collect():
        if text is None:
            former = entries.where(F.col(ENTERED_AS).isNull())
            found.append(_rows_from_json(spark, table, former, beside, log, also))
            continue
        members = entries.where(F.col(ENTERED_AS) == text)
        columns = original_columns(text)
        names = tuple(StructType.fromJson(json.loads(text)).fieldNames())
        found.append(QuarantinedRows(members.select(*columns, *beside), names))
    return found


def filtered(rows: QuarantinedRows, where: str | None, others: Mapping[str, str]) -> QuarantinedRows:
    """Filters rows by SQL over their columns and `reasons`; returns all rows for None.

    others: the table's columns with their types, which are NULL in rows without them. Raises DeclarationError GS203
    for an invalid condition.
    """
    if where is None:
        return rows
    present = {name.lower() for name in rows.columns}
    seen = {name: f"CAST(NULL AS {kind})" for name, kind in others.items() if name.lower() not in present}
    if "reasons" not in present:
        seen["reasons"] = WHY
    try:
        frame = rows.frame.selectExpr("*", *[f"{sql} AS {quoted(name)}" for name, sql in seen.items()])
        return QuarantinedRows(frame.where(where).select(*named(rows.frame.columns)), rows.columns)
    except (AnalysisException, ParseException) as error:
        raise invalid_condition(error) from None


def invalid_condition(error: Exception) -> DeclarationError:
    """The error for a condition of `--where` that is invalid or cannot be evaluated."""
    return DeclarationError(
        "GS203",
        f"--where is invalid: {str(error).strip().splitlines()[0]}",
        hint="Write SQL over `reasons` and the row's original columns. Columns of files are text, as in "
        "`try_cast(amount AS int) > 5`.",
    )


def _rows_from_json(
    spark: SparkSession,
    table: Table,
    entries: DataFrame,
    beside: list[Column],
    log: TableLog,
    also: Mapping[str, DataType],
) -> QuarantinedRows:
    """Reads entries that only have the row as JSON, as written by Goldsmith's first releases.

    Columns with a declared type are read as text, as before their cast, others with the table's types. Entries with a
    value that JSON does not represent are not returned.
    """
    types = _types_in_json(spark, table, log) | dict(also)
    typed = {name: kind for name, kind in types.items() if not isinstance(kind, StringType)}
    schema = StructType([StructField(name, _readable(kind)) for name, kind in typed.items()])
    # get_json_object would convert numbers through double.
    read = entries.withColumns(
        {_TYPED: F.from_json("row", schema, EXACT_TIMES), _DOCUMENT: F.try_parse_json("row")}
    )
    columns, whole = [], F.col(_DOCUMENT).isNotNull()
    for name, kind in types.items():
        place = f'$["{name}"]' if "'" in name else f"$['{name}']"
        text = F.try_variant_get(_DOCUMENT, place, "string")
        if name in typed:
            value = F.col(f"{_TYPED}.{quoted(name)}")
            given = F.try_variant_get(_DOCUMENT, place, "variant")
            whole = whole & (value.isNotNull() | given.isNull() | F.is_variant_null(given))
            text = value.cast(kind)
        columns.append(text.alias(name))
    return QuarantinedRows(read.where(whole).select(*columns, *beside), tuple(types))


def _types_in_json(spark: SparkSession, table: Table, log: TableLog) -> dict[str, DataType]:
    declared = {name.lower() for name, column in table.spec.columns.items() if column.type}
    current: dict[str, DataType] = {}
    if log.version() != NO_TABLE:
        current = {field.name: field.dataType for field in spark.read.format("delta").load(log.path).schema}
    nested = (StructType, ArrayType, MapType, VariantType)
    types = {
        name: StringType() if name.lower() in declared and not isinstance(kind, nested) else kind
        for name, kind in current.items()
    }
    folded = {name.lower() for name in types}
    types |= {name: StringType() for name in table.columns or {} if name.lower() not in folded}
    return types


def _readable(kind: DataType) -> DataType:
    """The type for reading a value from JSON, where keys of maps are text."""
    match kind:
        case StructType():
            return StructType([StructField(f.name, _readable(f.dataType)) for f in kind.fields])
        case ArrayType():
            return ArrayType(_readable(kind.elementType))
        case MapType():
            return MapType(StringType(), _readable(kind.valueType))
        case _:
            return kind
