"""The parts of JSON texts as text, from which nested values are cast."""

from __future__ import annotations

from pyspark.sql.types import ArrayType, DataType, MapType, StringType, StructType, VariantType

from goldsmith.engine.ingest.json_text import JSON_OPTIONS, members
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted


def ddl(kind: DataType) -> str:
    """A type as SQL, with quoted field names."""
    if not isinstance(kind, StructType):
        return kind.simpleString()
    fields = (f"{quoted(field.name)}: {field.dataType.simpleString()}" for field in kind.fields)
    return f"struct<{', '.join(fields)}>"


def json_parts(text: str, kind: DataType) -> str:
    """The parts of a JSON text, each as text, except variants, which Spark parses without changing numbers."""
    if not has_variant(kind):
        return members(text, ddl(kind))
    if not isinstance(kind, StructType):
        return f"from_json({text}, {literal(ddl(kind))}, {JSON_OPTIONS})"
    plain = StructType([field for field in kind.fields if not isinstance(field.dataType, VariantType)])
    variants = StructType([field for field in kind.fields if isinstance(field.dataType, VariantType)])
    read = {
        False: members(text, ddl(plain)),
        True: f"from_json({text}, {literal(ddl(variants))}, {JSON_OPTIONS})",
    }
    fields = ", ".join(
        f"{literal(field.name)}, {read[isinstance(field.dataType, VariantType)]}.{quoted(field.name)}"
        for field in kind.fields
    )
    return f"named_struct({fields})"


def json_part_type(target: DataType) -> DataType:
    """The type in which a part of a JSON text is read, before its cast."""
    return target if isinstance(target, VariantType) else StringType()


def has_variant(kind: DataType) -> bool:
    """Whether the parts of a nested type are variants."""
    match kind:
        case StructType():
            return any(isinstance(field.dataType, VariantType) for field in kind.fields)
        case ArrayType():
            return isinstance(kind.elementType, VariantType)
        case MapType():
            return isinstance(kind.valueType, VariantType)
        case _:
            return False
