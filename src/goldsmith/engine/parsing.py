"""Delivered lines as records: what is not one whole record says so, and is kept as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructType

from goldsmith.project.sql_text import quoted

MALFORMED = "_malformed"
"""The text of a record that does not parse; NULL in rows that do."""

_END = "_gs_end"
_OF_FILES = {"encoding", "charset", "header", "multiline", "linesep", "mode", "columnpruning"}

Options = Mapping[str, str]
"""Options of Spark's readers, by their names in lower case."""


def reader_options(given: Mapping[str, object]) -> dict[str, str]:
    """Declared options in one spelling; where nothing is said a doubled quote stands for one (RFC 4180)."""
    options = {key.lower(): str(value) for key, value in given.items()}
    options["sep"] = options.pop("delimiter", options.get("sep", ",")).replace("\\t", "\t")
    return {"quote": '"', "escape": '"', **options}


def free_names(names: Sequence[str]) -> tuple[str, ...]:
    """A file's column names, with others for those that stand for something else while it is read."""
    return tuple(
        f"_gs_unused_{at}" if name.lower() == MALFORMED or name.lower().startswith("_gs_") else name
        for at, name in enumerate(names)
    )


def csv_record(line: Column, names: Sequence[str], options: Options) -> Column:
    """A struct of the line's fields as text; where it has other columns, MALFORMED holds the line alone.

    A quote that is not closed would end with the line, and what belongs to its value would be lost. So a
    last field is appended: where the parser does not find it again, the quote swallowed it.
    """
    kept = {key: value for key, value in options.items() if key not in _OF_FILES}
    kept |= {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": MALFORMED}
    names = free_names(names)
    schema = ", ".join(f"{quoted(name)} string" for name in (*names, _END, MALFORMED))
    parsed = F.from_csv(F.concat(line, F.lit(options["sep"] + _END)), schema, kept)
    whole = parsed.getField(MALFORMED).isNull() & parsed.getField(_END).eqNullSafe(F.lit(_END))
    return _record(parsed, names, whole, line)


def json_record(line: Column, schema: StructType, spellings: Mapping[str, Sequence[str]]) -> Column:
    """A struct of the document's fields; where the line is not just one document MALFORMED holds it alone.

    spellings: other ways in which the documents write a field's name; a table has one column for all.
    """
    told = {"columnNameOfCorruptRecord": MALFORMED, "mode": "PERMISSIVE"}
    parsed = F.from_json(line, StructType([*schema.fields]).add(MALFORMED, StringType()), told)
    # The parser stops after the first document of a line; as the items of an array they are counted.
    items = F.size(F.from_json(F.concat(F.lit("["), line, F.lit("]")), "array<string>"))
    whole = parsed.getField(MALFORMED).isNull() & items.eqNullSafe(F.lit(1))
    values = {}
    for field in schema.fields:
        others = [
            F.from_json(line, StructType().add(other, field.dataType), {"mode": "PERMISSIVE"}).getField(other)
            for other in spellings.get(field.name, ())
        ]
        if others:
            values[field.name] = F.coalesce(parsed.getField(field.name), *others)
    return _record(parsed, schema.names, whole, line, values)


def _record(
    parsed: Column,
    names: Sequence[str],
    whole: Column,
    line: Column,
    values: Mapping[str, Column] | None = None,
) -> Column:
    fields = [F.when(whole, (values or {}).get(name, parsed.getField(name))).alias(name) for name in names]
    return F.struct(*fields, F.when(~whole, line).alias(MALFORMED))
