"""Spark's names of the types in a table's schema, without Spark."""

from __future__ import annotations

import json
from typing import Any

_NAMES = {"byte": "tinyint", "short": "smallint", "integer": "int", "long": "bigint", "null": "void"}
"""Types whose name in JSON is not that in SQL."""


def types_in(schema: str) -> dict[str, str]:
    """The columns and Spark types of a schema in JSON."""
    return {field["name"]: _field_type(field) for field in json.loads(schema)["fields"]}


def _field_type(field: dict[str, Any]) -> str:
    collations: dict[str, str] = (field.get("metadata") or {}).get("__COLLATIONS") or {}
    return _name(field["type"], field["name"], collations)


def _name(kind: Any, at: str, collations: dict[str, str]) -> str:
    """at: the path of the type in its column, by which the column's metadata names collations."""
    if isinstance(kind, str):
        if kind == "string" and at in collations:
            return f"string collate {collations[at].rpartition('.')[2]}"
        return _NAMES.get(kind, kind)
    match kind["type"]:
        case "struct":
            members = (f"{field['name']}:{_field_type(field)}" for field in kind["fields"])
            return f"struct<{','.join(members)}>"
        case "array":
            return f"array<{_name(kind['elementType'], f'{at}.element', collations)}>"
        case "map":
            key = _name(kind["keyType"], f"{at}.key", collations)
            return f"map<{key},{_name(kind['valueType'], f'{at}.value', collations)}>"
        case "udt":
            return _name(kind["sqlType"], at, collations)
        case other:
            return str(other)
