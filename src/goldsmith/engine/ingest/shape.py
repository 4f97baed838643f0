"""Casts rows to their declared types; a value that cannot be cast is a violation, not a NULL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, DataType, MapType, StringType, StructType

from goldsmith.engine.delta.original_rows import AS_ENTERED, BAD
from goldsmith.engine.ingest.casting import cast_exactly
from goldsmith.engine.ingest.text_values import read_exactly, without_nulls
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted
from goldsmith.project.text_formats import TextFormat

_CAST = "_gs_cast_"


@dataclass(frozen=True)
class Shaped:
    """Typed rows. frame: the columns, BAD and AS_ENTERED. reasons: SQL, array<string>: violations of types."""

    frame: DataFrame
    reasons: str


def shape(
    frame: DataFrame, types: Mapping[str, str], texts: Mapping[str, TextFormat] = MappingProxyType({})
) -> Shaped:
    """Casts columns to their declared types (name -> Spark SQL type); other columns stay unchanged.

    Only exact casts succeed: see `casting`. texts: how columns of text are written, if not as in Spark SQL.
    """
    declared = {name.lower(): wanted for name, wanted in types.items()}
    written = {name.lower(): text for name, text in texts.items()}
    columns: list[str] = []
    checks: list[tuple[str, str, str]] = []
    before: list[str] = []
    for field in frame.schema.fields:
        column = quoted(field.name)
        wanted = declared.get(field.name.lower())
        target = parsed(wanted) if wanted else None
        text = written.get(field.name.lower()) if isinstance(field.dataType, StringType) else None
        if text is None and (target is None or target == field.dataType):
            columns.append(column)
            continue
        wanted = wanted or "string"
        target = target or StringType()
        given = column if text is None else without_nulls(column, text)
        cast = read_exactly(given, text, target).sql if text else cast_or_null(given, field.dataType, wanted)
        if isinstance(target, StructType | ArrayType | MapType):
            # Computed once in a column of its own: Spark does not eliminate common higher-order functions.
            before.append(f"{cast} AS {_CAST}{len(before)}")
            cast = f"{_CAST}{len(before) - 1}"
        columns.append(f"{cast} AS {column}")
        checks.append((field.name, wanted, f"{given} IS NOT NULL AND {cast} IS NULL"))
    if not checks:
        nothing = f"CAST(NULL AS map<string,string>) AS {BAD}"
        return Shaped(frame.selectExpr(*columns, nothing), "CAST(array() AS array<string>)")
    pairs = [
        f"CASE WHEN {bad} THEN struct({literal(name)} AS k, CAST({quoted(name)} AS string) AS v) END"
        for name, _, bad in checks
    ]
    frame = frame.selectExpr("*", *before) if before else frame
    any_bad = " OR ".join(f"({bad})" for _, _, bad in checks)
    bad = f"CASE WHEN {any_bad} THEN map_from_entries(array_compact(array({', '.join(pairs)}))) END AS {BAD}"
    names = [
        f"CASE WHEN map_contains_key({BAD}, {literal(name)}) THEN {literal(cast_reason(name, wanted))} END"
        for name, wanted, _ in checks
    ]
    reasons = (
        f"CASE WHEN {BAD} IS NULL THEN CAST(array() AS array<string>) "
        f"ELSE array_compact(array({', '.join(names)})) END"
    )
    original = f"struct({', '.join(quoted(name) for name, _, _ in checks)}) AS {AS_ENTERED}"
    return Shaped(frame.selectExpr(*columns, bad, original), reasons)


def cast_or_null(column: str, source: DataType, wanted: str) -> str:
    """SQL of an exact cast from the type `source` to the type `wanted`; NULL if the value does not fit."""
    return cast_exactly(column, source, parsed(wanted)).sql


def cast_reason(column: str, wanted: str) -> str:
    """The name of the violation for a value that cannot be cast."""
    return f"cast({column} as {wanted})"


@lru_cache(maxsize=512)
def parsed(text: str) -> DataType:
    """The type of a text, parsed by Spark once for each text."""
    return DataType.fromDDL(text)
