"""Avro schemas as Spark types, and the conversion of decoded values to Spark's internal ones.

Values are decoded without logical types, so that no value passes through a type of Python with fewer values: Python's
dates end at the year 9999.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from pyspark.sql import types as T
from typing_extensions import override

Value = Callable[[Any], Any]
"""Converts a decoded value that is not None."""


class _Internal(T.DataType):
    """A type whose values are given as Spark stores them. Subclasses name it before Spark's type, whose name they keep."""

    @override
    def needConversion(self) -> bool:
        return False

    @classmethod
    @override
    def typeName(cls) -> str:
        return cls.__bases__[1].typeName()  # type: ignore[attr-defined, no-any-return]


class DaysType(_Internal, T.DateType):
    """A date whose values are given as days since 1970."""


class MicrosType(_Internal, T.TimestampType):
    """A timestamp whose values are given as microseconds since 1970."""


class LocalMicrosType(_Internal, T.TimestampNTZType):
    """A timestamp without time zone whose values are given as microseconds since 1970."""


class AvroSchemaError(ValueError):
    """A schema that no type of a table has."""


@dataclass(frozen=True)
class Kind:
    """A type. plain: its Avro schema without logical types. value: None if values need no conversion."""

    spark: T.DataType
    plain: Any
    value: Value | None = None


_PLAIN: Mapping[str, T.DataType] = {
    "null": T.StringType(),
    "boolean": T.BooleanType(),
    "int": T.IntegerType(),
    "long": T.LongType(),
    "float": T.FloatType(),
    "double": T.DoubleType(),
    "bytes": T.BinaryType(),
    "string": T.StringType(),
}
_PYTHON: Mapping[str, type] = {
    "boolean": bool,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "bytes": bytes,
    "string": str,
    "array": list,
    "map": dict,
}
_MOST_DIGITS = 38
_INT_64 = 1 << 63
_DAY = 86_400_000_000


def kind_of(schema: Any) -> Kind:
    """The type of a schema that fastavro has parsed, whose names are full ones. Raises AvroSchemaError."""
    return _Schemas().kind(schema)


class _Schemas:
    """Converts a schema. Named types are known by name after their definition."""

    def __init__(self) -> None:
        self._named: dict[str, Kind | None] = {}

    def kind(self, schema: Any) -> Kind:
        if isinstance(schema, list):
            return self._union(schema)
        if isinstance(schema, str):
            return self._reference(schema) if schema not in _PLAIN else Kind(_PLAIN[schema], schema)
        name = schema["type"]
        if name in ("record", "error"):
            return self._record(schema)
        if name == "enum":
            plain = {"type": "enum", "name": schema["name"], "symbols": schema["symbols"]}
            return self._known(schema, Kind(T.StringType(), plain))
        if name == "fixed":
            plain = {"type": "fixed", "name": schema["name"], "size": schema["size"]}
            return self._known(schema, _logical(schema, Kind(T.BinaryType(), plain)))
        if name == "array":
            items = self.kind(schema["items"])
            return Kind(T.ArrayType(items.spark), {"type": "array", "items": items.plain}, _each(items.value))
        if name == "map":
            values = self.kind(schema["values"])
            kind = T.MapType(T.StringType(), values.spark)
            return Kind(kind, {"type": "map", "values": values.plain}, _each_of_map(values.value))
        return _logical(schema, self.kind(name))

    def _known(self, schema: Mapping[str, Any], kind: Kind) -> Kind:
        self._named[schema["name"]] = Kind(kind.spark, schema["name"], kind.value)
        return kind

    def _reference(self, name: str) -> Kind:
        kind = self._named[name]
        if kind is None:
            raise AvroSchemaError(f"the record {name} contains itself")
        return kind

    def _record(self, schema: Mapping[str, Any]) -> Kind:
        name = schema["name"]
        self._named[name] = None
        fields = {field["name"]: self.kind(field["type"]) for field in schema["fields"]}
        folded = [field.lower() for field in fields]
        twice = next((field for field in folded if folded.count(field) > 1), None)
        if twice is not None:
            raise AvroSchemaError(f"the record {name} has two fields `{twice}`, which differ only in case")
        plain = [{"name": field, "type": kind.plain} for field, kind in fields.items()]
        spark = T.StructType([T.StructField(field, kind.spark) for field, kind in fields.items()])
        values = tuple((field, kind.value) for field, kind in fields.items())

        def value(record: Mapping[str, Any]) -> tuple[Any, ...]:
            return tuple(
                record[field] if convert is None or record[field] is None else convert(record[field])
                for field, convert in values
            )

        return self._known(schema, Kind(spark, {"type": "record", "name": name, "fields": plain}, value))

    def _union(self, schema: Sequence[Any]) -> Kind:
        """NULL and a type is this type. Of several types, the member with the value is not NULL."""
        kinds = [self.kind(branch) for branch in schema]
        plain = [kind.plain for kind in kinds]
        names = [_type_name(kind.plain) for kind in kinds]
        narrow = {small for small, wide in (("int", "long"), ("float", "double")) if wide in names}
        members = [
            (name, kind)
            for name, kind in zip(names, kinds, strict=True)
            if name != "null" and not (name in narrow and kind.value is None)
        ]
        if len(members) <= 1:
            only = members[0][1] if members else Kind(T.StringType(), "null")
            return Kind(only.spark, plain, _untagged(only.value))
        tests: list[Any] = [_PYTHON.get(name, name) for name, _ in members]
        if len(set(tests)) < len(tests):
            raise AvroSchemaError(
                f"the union of {' and '.join(names)} does not show which of them a value has"
            )
        converts = tuple(kind.value for _, kind in members)
        spark = T.StructType(
            [T.StructField(f"member{at}", kind.spark) for at, (_, kind) in enumerate(members)]
        )

        def value(found: Any) -> tuple[Any, ...]:
            tag, content = found if isinstance(found, tuple) else (type(found), found)
            at, row = tests.index(tag), [None] * len(tests)
            convert = converts[at]
            row[at] = content if convert is None else convert(content)
            return tuple(row)

        return Kind(spark, plain, value)


def _type_name(plain: Any) -> str:
    """The name of a named type, else that of the type."""
    if isinstance(plain, dict):
        return str(plain.get("name", plain["type"]))
    return str(plain)


def _untagged(convert: Value | None) -> Value:
    """fastavro gives values of named types in a union with the type's name."""

    def value(found: Any) -> Any:
        content = found[1] if isinstance(found, tuple) else found
        return content if convert is None or content is None else convert(content)

    return value


def _each(convert: Value | None) -> Value | None:
    if convert is None:
        return None
    return lambda items: [None if item is None else convert(item) for item in items]


def _each_of_map(convert: Value | None) -> Value | None:
    if convert is None:
        return None
    return lambda items: {key: None if item is None else convert(item) for key, item in items.items()}


def _logical(schema: Mapping[str, Any], base: Kind) -> Kind:
    """The type of a logical type; that of its base if it is unknown or does not suit it, as Avro specifies."""
    word = str(schema.get("logicalType"))
    match word, _base_name(base.plain):
        case "decimal", "bytes" | "fixed":
            return _decimal(schema, base)
        case "uuid", "fixed" if base.plain["size"] == 16:  # noqa: PLR2004
            return Kind(T.StringType(), base.plain, lambda value: str(UUID(bytes=value)))
        case "date", "int":
            return Kind(DaysType(), base.plain)
        case "timestamp-millis", "long":
            return Kind(MicrosType(), base.plain, _micros_of_millis)
        case "timestamp-micros", "long":
            return Kind(MicrosType(), base.plain)
        case "local-timestamp-millis", "long":
            return Kind(LocalMicrosType(), base.plain, _micros_of_millis)
        case "local-timestamp-micros", "long":
            return Kind(LocalMicrosType(), base.plain)
        case "time-millis", "int":
            return Kind(T.StringType(), base.plain, lambda value: _time(value * 1000)[:-3])
        case "time-micros", "long":
            return Kind(T.StringType(), base.plain, _time)
    return base


def _base_name(plain: Any) -> str:
    return str(plain["type"]) if isinstance(plain, dict) else str(plain)


def _decimal(schema: Mapping[str, Any], base: Kind) -> Kind:
    precision, scale = int(schema["precision"]), int(schema.get("scale", 0))
    if not 0 <= scale <= precision:
        return base
    is_text = precision > _MOST_DIGITS

    def value(found: bytes) -> Decimal | str:
        number = int.from_bytes(found, "big", signed=True)
        digits = tuple(map(int, str(abs(number))))
        if len(digits) > precision:
            raise ValueError(f"a decimal has more than {precision} digits")
        exact = Decimal((int(number < 0), digits, -scale))
        return f"{exact:f}" if is_text else exact

    return Kind(T.StringType() if is_text else T.DecimalType(precision, scale), base.plain, value)


def _micros_of_millis(value: int) -> int:
    micros = value * 1000
    if not -_INT_64 <= micros < _INT_64:
        raise ValueError(f"the time {value} ms since 1970 is out of range")
    return micros


def _time(micros: int) -> str:
    if not 0 <= micros < _DAY:
        raise ValueError(f"{micros} microseconds are not a time of day")
    seconds, rest = divmod(micros, 1_000_000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:06}"
