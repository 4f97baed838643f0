"""Avro files for tests."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import fastavro


def avro(
    fields: Sequence[tuple[str, Any]], *rows: Sequence[Any], codec: str = "null", **options: Any
) -> bytes:
    """The bytes of a file with a record for each row. fields: their names and Avro types."""
    names = [name for name, _ in fields]
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": name, "type": kind} for name, kind in fields],
    }
    file = io.BytesIO()
    records = [dict(zip(names, row, strict=True)) for row in rows]
    fastavro.writer(file, schema, records, codec=codec, **options)
    return file.getvalue()


def logical(base: str, word: str, **more: Any) -> dict[str, Any]:
    """A logical type."""
    return {"type": base, "logicalType": word, **more}
