"""Rows as they entered a load, kept with the types they had, whatever types later rows have.

A quarantine keeps all of them in one struct column. It has a field for each column name and type that ever
entered, so a column that changes its type gets a second field and no value is converted. Each entry names its
own columns and their fields.
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

from goldsmith.project.sql.text import quoted

BAD = "_gs_bad"
"""map<string,string>: what a column held that could not be cast, as text; NULL where all could."""

AS_ENTERED = "_gs_as_entered"
"""struct: the columns that are cast, as they were before. Absent where none is."""

ENTERED = "entered"
"""struct: the row's values, a field for each column name and type."""

ENTERED_AS = "entered_as"
"""The row's columns in their order, as the JSON of a Spark schema; each names its field in ENTERED."""

_FIELD = "field"
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
class Entering:
    """Columns of rows that enter a quarantine. values: a column for each field of `columns`, in their order."""

    columns: StructType
    values: tuple[Column, ...]

    @property
    def text(self) -> str:
        """The columns for ENTERED_AS."""
        described = []
        for column in self.columns.fields:
            metadata = {} if _is_void(column) else {_FIELD: field_name(column.name, column.dataType)}
            described.append(StructField(column.name, plain(column.dataType), True, metadata))
        return StructType(described).json()

    @property
    def struct(self) -> Column | None:
        """The values for ENTERED; None if no column has a type."""
        fields = []
        for column, value in zip(self.columns.fields, self.values, strict=True):
            if not _is_void(column):
                name = field_name(column.name, column.dataType)
                fields.append(value.cast(stored(column.dataType)).alias(name, metadata={}))
        return F.struct(*fields) if fields else None


def returned(text: str) -> list[Column]:
    """The columns that a text of ENTERED_AS describes, for entries that have it. One without a type is NULL."""
    columns = []
    for column in StructType.fromJson(json.loads(text)).fields:
        field = column.metadata.get(_FIELD)
        value = F.lit(None) if field is None else F.col(f"{ENTERED}.{quoted(field)}")
        if field is not None:
            back = _without_void(column.dataType)
            value = value if back == stored(column.dataType) else value.cast(back)
        columns.append(value.alias(column.name))
    return columns


def field_name(name: str, kind: DataType) -> str:
    """The field of ENTERED for a column: `amount__decimal_9_2`. Types and names that do not fit get a digest."""
    folded, kept = name.lower(), plain(kind)
    word = re.sub(r"\W+", "_", kept.simpleString()).strip("_")
    if isinstance(kept, StructType | ArrayType | MapType):
        word = kept.typeName()
    elif _PLAIN.fullmatch(folded):
        return f"{folded}__{word}"
    digest = hashlib.sha256(json.dumps([folded, kept.jsonValue()]).encode()).hexdigest()
    fitting = re.sub(r"\W", "_", folded)
    return f"{fitting}__{word}_{digest[:8]}"


def plain(kind: DataType) -> DataType:
    """A type without what a schema says beside it: every part may be NULL, and no part has metadata."""
    match kind:
        case StructType():
            return StructType([StructField(field.name, plain(field.dataType)) for field in kind.fields])
        case ArrayType():
            return ArrayType(plain(kind.elementType))
        case MapType():
            return MapType(plain(kind.keyType), plain(kind.valueType))
        case _:
            return kind


def stored(kind: DataType) -> DataType:
    """The type of a value's field: its own, where Delta has that. Text stands for the others, and for void within
    a nested type; names that Delta refuses within a nested type are numbered."""
    match kind:
        case StructType():
            names = [field.name for field in kind.fields]
            fitting = all(map(_PLAIN.fullmatch, names)) and len({name.lower() for name in names}) == len(
                names
            )
            return StructType(
                [
                    StructField(field.name if fitting else f"c{at}", stored(field.dataType))
                    for at, field in enumerate(kind.fields)
                ]
            )
        case ArrayType():
            return ArrayType(stored(kind.elementType))
        case MapType():
            return MapType(stored(kind.keyType), stored(kind.valueType))
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
