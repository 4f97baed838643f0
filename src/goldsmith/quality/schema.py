"""Finds columns of a frame's schema as fields for the compilation of expectations."""

from __future__ import annotations

from pyspark.sql.types import DataType, StructType

from goldsmith.project.sql.text import quoted
from goldsmith.quality.fields import Field, Find, unknown_column


def fields_of(schema: StructType) -> Find:
    """A Find for a schema; names may be paths into structs, and are case-insensitive as in Spark."""

    def find(name: str) -> Field:
        kind = type_of(schema, name)
        steps = [name] if _member(schema, name) is not None else name.split(".")
        return Field(name, ".".join(map(quoted, steps)), kind.simpleString())

    return find


def type_of(schema: StructType, name: str) -> DataType:
    """The type of a column or of a path into structs. Raises DeclarationError GS203 if there is none."""
    inner: DataType | None = _member(schema, name)
    if inner is not None:
        return inner
    inner = schema
    for step in name.split("."):
        inner = _member(inner, step) if isinstance(inner, StructType) else None
        if inner is None:
            raise unknown_column(name, schema.names)
    return inner


def _member(schema: StructType, name: str) -> DataType | None:
    return next((field.dataType for field in schema.fields if field.name.lower() == name.lower()), None)
