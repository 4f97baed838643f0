"""Stores input rows of a load in their original types, independent of the types of later rows.

A quarantine stores them in one struct column. It has a field for each pair of column name and type, so a column that
changes its type gets a second field, and no value is converted. Each entry lists its own columns and their fields.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    MapType,
    NullType,
    NumericType,
    StringType,
    StructField,
    StructType,
    TimestampNTZType,
    TimestampType,
    VariantType,
)

from goldsmith.engine.delta.valid_entries import ENTERED, FIELD
from goldsmith.project.sql.text import quoted

BAD = "_gs_bad"
"""map<string,string>: the values that could not be cast, as text, by column; NULL if all could."""

AS_ENTERED = "_gs_as_entered"
"""struct: the cast columns with their values before the cast. Missing if no column is cast."""

_STORED = (
    NumericType,
    BooleanType,
    BinaryType,
    DateType,
    TimestampType,
    TimestampNTZType,
    VariantType,
)
_PLAIN = re.compile(r"\w+")


@dataclass(frozen=True)
class OriginalRow:
    """The columns of rows that are quarantined. values: a column for each field of `columns`, in order."""

    columns: StructType
    values: tuple[Column, ...]

    @property
    def text(self) -> str:
        """The value of ENTERED_AS."""
        described = []
        for column in self.columns.fields:
            metadata = {} if _is_void(column) else {FIELD: field_name(column.name, column.dataType)}
            described.append(StructField(column.name, plain_type(column.dataType), True, metadata))
        return StructType(described).json()

    @property
    def struct(self) -> Column | None:
        """The value of ENTERED; None if no column has a type."""
        fields = []
        for column, value in zip(self.columns.fields, self.values, strict=True):
            if not _is_void(column):
                name = field_name(column.name, column.dataType)
                fields.append(value.cast(storage_type(column.dataType)).alias(name, metadata={}))
        return F.struct(*fields) if fields else None


def original_columns(text: str) -> list[Column]:
    """The columns described by a value of ENTERED_AS, for entries with this value. Columns without a type are NULL."""
    columns = []
    for column in StructType.fromJson(json.loads(text)).fields:
        field = column.metadata.get(FIELD)
        value = F.lit(None) if field is None else F.col(f"{ENTERED}.{quoted(field)}")
        if field is not None:
            back = _without_void(column.dataType)
            value = value if back == storage_type(column.dataType) else value.cast(back)
        columns.append(value.alias(column.name))
    return columns


def field_name(name: str, kind: DataType) -> str:
    """The field of ENTERED for a column: `amount__decimal_9_2`. Other types and names get a digest."""
    folded, kept = name.lower(), plain_type(kind)
    word = re.sub(r"\W+", "_", kept.simpleString()).strip("_")
    if isinstance(kept, StructType | ArrayType | MapType):
        word = kept.typeName()
    elif _PLAIN.fullmatch(folded):
        return f"{folded}__{word}"
    digest = hashlib.sha256(json.dumps([folded, kept.jsonValue()]).encode()).hexdigest()
    fitting = re.sub(r"\W", "_", folded)
    return f"{fitting}__{word}_{digest[:8]}"


def plain_type(kind: DataType) -> DataType:
    """A type in which every part is nullable and has no metadata."""
    match kind:
        case StructType():
            return StructType([StructField(field.name, plain_type(field.dataType)) for field in kind.fields])
        case ArrayType():
            return ArrayType(plain_type(kind.elementType))
        case MapType():
            return MapType(plain_type(kind.keyType), plain_type(kind.valueType))
        case _:
            return kind


def storage_type(kind: DataType) -> DataType:
    """The type in which a value is stored: its own if Delta supports it, else text.

    Text also replaces void within nested types. Field names that Delta does not support are replaced by numbers.
    """
    match kind:
        case StructType():
            names = [field.name for field in kind.fields]
            fitting = all(map(_PLAIN.fullmatch, names)) and len({name.lower() for name in names}) == len(
                names
            )
            return StructType(
                [
                    StructField(field.name if fitting else f"c{at}", storage_type(field.dataType))
                    for at, field in enumerate(kind.fields)
                ]
            )
        case ArrayType():
            return ArrayType(storage_type(kind.elementType))
        case MapType():
            return MapType(storage_type(kind.keyType), storage_type(kind.valueType))
        case _:
            return kind if isinstance(kind, _STORED) else StringType()


def _without_void(kind: DataType) -> DataType:
    match kind:
        case StructType():
            return StructType([StructField(f.name, _without_void(f.dataType)) for f in kind.fields])
        case ArrayType():
            return ArrayType(_without_void(kind.elementType))
        case MapType():
            return MapType(_without_void(kind.keyType), _without_void(kind.valueType))
        case NullType():
            return StringType()
        case _:
            return kind


def _is_void(column: StructField) -> bool:
    return isinstance(column.dataType, NullType)
