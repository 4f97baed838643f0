"""The columns of a frame as fields that expectations are compiled for."""

from __future__ import annotations

from pyspark.sql.types import DataType, StructType

from goldsmith.project.sql.text import quoted
from goldsmith.quality.fields import Field, Find, absent


def fields_of(schema: StructType) -> Find:
    """The field of a name, which may be a path into structs; names are compared as Spark does, without case."""

    def find(name: str) -> Field:
        kind = type_of(schema, name)
        steps = [name] if _member(schema, name) is not None else name.split(".")
        return Field(name, ".".join(map(quoted, steps)), kind.simpleString())

    return find


def type_of(schema: StructType, name: str) -> DataType:
    """The type of a name, which may be a path into structs. Raises DeclarationError GS203 where there is none."""
    inner: DataType | None = _member(schema, name)
    if inner is not None:
        return inner
    inner = schema
    for step in name.split("."):
        inner = _member(inner, step) if isinstance(inner, StructType) else None
        if inner is None:
            raise absent(name, schema.names)
    return inner


def _member(schema: StructType, name: str) -> DataType | None:
    return next((field.dataType for field in schema.fields if field.name.lower() == name.lower()), None)
