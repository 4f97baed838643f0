"""Deliveries as Avro files, as other programs write them."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import fastavro

from differential.values import fields_of, read_back


def write_avro(step: dict[str, Any], file: Path) -> None:
    """Writes a delivery as an Avro file with its codec."""
    fields = [
        {"name": name, "type": ["null", avro_type(kind)]}
        for name, kind in zip(step["columns"], step["types"], strict=True)
    ]
    schema = fastavro.parse_schema({"type": "record", "name": "delivery", "fields": fields})
    rows = [dict(zip(step["columns"], read_back(row), strict=True)) for row in step["records"]]
    with file.open("wb") as stream:
        fastavro.writer(stream, schema, rows, codec=step["codec"], sync_interval=64)


_NUMBERS = count()


def avro_type(kind: str) -> Any:
    """The Avro type for a Spark type. Avro has no integers of one and two bytes."""
    plain: dict[str, Any] = {
        "boolean": "boolean",
        "tinyint": "int",
        "smallint": "int",
        "int": "int",
        "bigint": "long",
        "float": "float",
        "double": "double",
        "string": "string",
        "binary": "bytes",
        "date": {"type": "int", "logicalType": "date"},
        "timestamp": {"type": "long", "logicalType": "timestamp-micros"},
        "timestamp_ntz": {"type": "long", "logicalType": "local-timestamp-micros"},
    }
    if kind in plain:
        return plain[kind]
    inside = kind[kind.find("<") + 1 : -1]
    if kind.startswith("decimal"):
        digits, scale = map(int, kind[8:-1].split(","))
        return {"type": "bytes", "logicalType": "decimal", "precision": digits, "scale": scale}
    if kind.startswith("array"):
        return {"type": "array", "items": ["null", avro_type(inside)]}
    if kind.startswith("map"):
        return {"type": "map", "values": ["null", avro_type(inside.partition(",")[2])]}
    fields = [{"name": name, "type": ["null", avro_type(of)]} for name, of in fields_of(kind).items()]
    return {"type": "record", "name": f"r{next(_NUMBERS)}", "fields": fields}
