"""The rows of a quarantine, with the columns and types that they entered with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StringType, StructField, StructType, VariantType

from goldsmith.engine.columns import EXACT_TIMES, named
from goldsmith.engine.delta.entered import ENTERED_AS, returned
from goldsmith.engine.delta.log import NO_TABLE, TableLog
from goldsmith.errors import DeclarationError
from goldsmith.project.sql.text import quoted
from goldsmith.project.tables import Table

ENTRY, WHY, SINCE, BY = "_gs_entry", "_gs_why", "_gs_since", "_gs_by"
"""Beside a row's columns: the entry's id, its reasons, when it was quarantined (microseconds since 1970), and by
which run."""

_TYPED, _DOCUMENT = "_gs_typed", "_gs_document"
_OF_ENTRIES = {ENTRY: "id", WHY: "reasons", SINCE: "unix_micros(held_at)", BY: "run_id"}


@dataclass(frozen=True)
class Rows:
    """Quarantined rows that entered with the same columns. frame: these, with ENTRY, WHY, SINCE and BY."""

    frame: DataFrame
    columns: tuple[str, ...]


def rows_as_entered(
    spark: SparkSession, table: Table, entries: DataFrame, log: TableLog, also: Mapping[str, DataType]
) -> list[Rows]:
    """The rows of entries of a table's quarantine, grouped by the columns that they entered with. One Spark job.

    log: the table's. also: columns that rows have beside the table's own, as its source says.
    """
    beside = [F.expr(sql).alias(name) for name, sql in _OF_ENTRIES.items()]
    if ENTERED_AS not in entries.columns:
        return [_kept_as_text(spark, table, entries, beside, log, also)]
    found = []
    for (text,) in entries.select(ENTERED_AS).distinct().collect():
        if text is None:
            former = entries.where(F.col(ENTERED_AS).isNull())
            found.append(_kept_as_text(spark, table, former, beside, log, also))
            continue
        members = entries.where(F.col(ENTERED_AS) == text)
        columns = returned(text)
        names = tuple(StructType.fromJson(json.loads(text)).fieldNames())
        found.append(Rows(members.select(*columns, *beside), names))
    return found


def chosen(rows: Rows, where: str | None, others: Mapping[str, str]) -> Rows:
    """The rows for which SQL over their columns and `reasons` is true; all of them where it is absent.

    others: columns that the table has and these rows may lack, with their types. Raises DeclarationError GS203
    for a condition that cannot be read.
    """
    if where is None:
        return rows
    present = {name.lower() for name in rows.columns}
    seen = {name: f"CAST(NULL AS {kind})" for name, kind in others.items() if name.lower() not in present}
    if "reasons" not in present:
        seen["reasons"] = WHY
    try:
        frame = rows.frame.selectExpr("*", *[f"{sql} AS {quoted(name)}" for name, sql in seen.items()])
        return Rows(frame.where(where).select(*named(rows.frame.columns)), rows.columns)
    except (AnalysisException, ParseException) as error:
        raise unreadable(error) from None


def unreadable(error: Exception) -> DeclarationError:
    """The error for a condition of `--where` that cannot be read or computed."""
    return DeclarationError(
        "GS203",
        f"--where cannot be read: {str(error).strip().splitlines()[0]}",
        hint="It is SQL over `reasons` and the row's columns as they entered: what files delivered is text, as in "
        "`try_cast(amount AS int) > 5`.",
    )


def _kept_as_text(
    spark: SparkSession,
    table: Table,
    entries: DataFrame,
    beside: list[Column],
    log: TableLog,
    also: Mapping[str, DataType],
) -> Rows:
    """Rows of entries that have their row as JSON alone, as Goldsmith's first releases wrote them.

    Columns with a declared type come as text, as before their cast; the others in the table's types. An entry
    with a value that its JSON does not give back stays in the quarantine.
    """
    types = _types_of_text(spark, table, log) | dict(also)
    typed = {name: kind for name, kind in types.items() if not isinstance(kind, StringType)}
    schema = StructType([StructField(name, _readable(kind)) for name, kind in typed.items()])
    # get_json_object would copy numbers through double.
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
    return Rows(read.where(whole).select(*columns, *beside), tuple(types))


def _types_of_text(spark: SparkSession, table: Table, log: TableLog) -> dict[str, DataType]:
    declared = {name.lower() for name, column in table.spec.columns.items() if column.type}
    held: dict[str, DataType] = {}
    if log.version() != NO_TABLE:
        held = {field.name: field.dataType for field in spark.read.format("delta").load(log.path).schema}
    nested = (StructType, ArrayType, MapType, VariantType)
    types = {
        name: StringType() if name.lower() in declared and not isinstance(kind, nested) else kind
        for name, kind in held.items()
    }
    folded = {name.lower() for name in types}
    types |= {name: StringType() for name in table.columns or {} if name.lower() not in folded}
    return types


def _readable(kind: DataType) -> DataType:
    """The type that JSON can be read in: keys of maps are text there."""
    match kind:
        case StructType():
            return StructType([StructField(f.name, _readable(f.dataType)) for f in kind.fields])
        case ArrayType():
            return ArrayType(_readable(kind.elementType))
        case MapType():
            return MapType(StringType(), _readable(kind.valueType))
        case _:
            return kind
