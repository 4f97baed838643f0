"""Parses delivered lines into records; malformed records are kept as text."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, VariantType

from goldsmith.engine.ingest.json_text import (
    CORRUPT,
    JSON_OPTIONS,
    bound,
    fits_variant,
    flat,
    members_of_flat,
    one_object,
    unique_keys,
    valid_inside,
)
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted

MALFORMED = "_malformed"
"""The text of a malformed record; NULL in other rows."""

BLANKS = "".join(map(chr, range(33)))
"""The characters of a blank line, as Spark trims them."""

_END = "_gs_end"
_OF_FILES = {"encoding", "charset", "header", "multiline", "linesep", "comment", "mode", "columnpruning"}
_MOST_COLUMNS = 20480

UTF_8 = "utf-8"
PLAIN_ENCODINGS = (UTF_8, "iso-8859-1", "us-ascii")
"""Encodings that all of Spark's readers support."""
_ALSO_CALLED = {"iso8859-1": "iso-8859-1", "ascii": "us-ascii"}

Options = Mapping[str, str]
"""Options of Spark's readers, by their names in lower case."""


def reader_options(given: Mapping[str, object]) -> dict[str, str]:
    """Declared options with normalized names. By default a doubled quote escapes a quote (RFC 4180)."""
    options = {key.lower(): _option_text(value) for key, value in given.items()}
    if encoding := options.pop("charset", options.pop("encoding", None)):
        options["encoding"] = encoding_name(encoding)
    options["sep"] = options.pop("delimiter", options.get("sep", ",")).replace("\\t", "\t")
    return {"quote": '"', "escape": '"', **options}


def _option_text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def encoding_name(given: str) -> str:
    """An encoding by a name that both Python and Java know; unchanged if Python does not know it."""
    try:
        name = codecs.lookup(given).name.removesuffix("-sig")
        return _ALSO_CALLED.get(name, name)
    except LookupError:
        return given


def flag(options: Options, name: str, default: str = "false") -> bool:
    """Whether an option is true."""
    return options.get(name, default).lower() == "true"


def free_names(names: Sequence[str]) -> tuple[str, ...]:
    """A file's column names, with replacements for names that are used internally."""
    return tuple(
        f"_gs_unused_{at}" if name.lower() == MALFORMED or name.lower().startswith("_gs_") else name
        for at, name in enumerate(names)
    )


def csv_record(line: str, names: Sequence[str], options: Options) -> Column:
    """A struct of a record's fields as text; if the record is malformed, only MALFORMED has a value.

    Spark's parser would close an unclosed quote at the end of the line. To detect it, a last field is appended: if
    the parser does not return it, a quote swallowed it.
    """
    kept = {key: value for key, value in options.items() if key not in _OF_FILES}
    kept |= {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": MALFORMED, "multiLine": "true"}
    most = max(_MOST_COLUMNS, len(names) + 2)
    kept["maxColumns"] = str(most)
    names, patterns = free_names(names), CsvPatterns(options)
    schema = ", ".join(f"{quoted(name)} string" for name in (*names, _END, MALFORMED))
    given = ", ".join(f"{literal(key)}, {literal(value)}" for key, value in kept.items())
    parsed = f"from_csv(concat({line}, {literal(options['sep'] + _END)}), {literal(schema)}, map({given}))"
    # The parser fails the query if a record has more than the maximum of columns.
    room = f"length({line}) < {most} OR regexp_count({line}, {literal(patterns.each)}) < {most}"
    parsed = f"IF({room}, {parsed}, NULL)"
    whole = f"r.{MALFORMED} IS NULL AND r.{_END} <=> {literal(_END)}"
    if options["quote"]:
        well_formed = f"{line} RLIKE {literal(patterns.record)}"
        whole += f" AND (NOT contains({line}, {literal(options['quote'])}) OR {well_formed})"
    return _record(line, parsed, names, whole)


def fixed_width_record(line: str, names: Sequence[str], widths: Sequence[int]) -> Column:
    """A struct of a line's fields as text, without blanks around them; an empty field is NULL.

    A line with text beyond the last field is malformed: only MALFORMED has a value. So is every line if the number of
    names is not that of the widths.
    """
    if len(names) != len(widths):
        nothing = dict.fromkeys(free_names(names), "CAST(NULL AS string)")
        return F.expr(_struct(line, free_names(names), "false", nothing))
    values, start = {}, 1
    for name, width in zip(free_names(names), widths, strict=True):
        values[name] = f"nullif({_stripped(f'substring({line}, {start}, {width})')}, '')"
        start += width
    beyond = _stripped(f"substring({line}, {start})")
    return F.expr(_struct(line, list(values), f"{beyond} = ''", values))


def _stripped(text: str) -> str:
    """SQL: a text without the blanks around it."""
    return f"btrim({text}, {literal(BLANKS)})"


def json_record(
    line: str,
    types: Mapping[str, DataType],
    spellings: Mapping[str, Sequence[str]],
    *,
    unique: bool = False,
    document: str | None = None,
) -> Column:
    """A struct of a document's values as text; if the line is not exactly one document, only MALFORMED has a value.

    Strings have no quotes, other values their exact text. types: the declared type of each column; variants are
    parsed. spellings: other spellings of a column's name in documents; they belong to one column. unique: no document
    has two keys for one column. document: SQL that gives the document; by default it is the line.
    """
    text = line if document in (None, line) else "d"
    schema = ", ".join(f"{quoted(name)} string" for name in (*types, CORRUPT))
    whole = [f"r.{CORRUPT} IS NULL", one_object("f"), valid_inside(text)]
    if not unique:
        whole.append(unique_keys(text, folded=True))
    values = {name: _first([f"r.{quoted(name)}", *_others(spellings.get(name, ()))]) for name in types}
    for name, kind in types.items():
        if isinstance(kind, VariantType):
            value = values[name]
            values[name] = _first([_variant(text, key) for key in (name, *spellings.get(name, ()))])
            kind_of = f"schema_of_variant({values[name]})"
            whole.append(f"coalesce({kind_of} = 'STRING' OR {value} IS NULL OR {fits_variant(value)}, false)")
    row = _struct(line, list(types), " AND ".join(whole), values)
    parsed = bound(flat(text), "f", bound(members_of_flat("f", schema), "r", row))
    return F.expr(parsed if document is None or text == line else bound(document, text, parsed))


def _others(keys: Sequence[str]) -> Iterator[str]:
    for key in keys:
        yield f"{members_of_flat('f', f'{quoted(key)} string')}.{quoted(key)}"


def _variant(line: str, key: str) -> str:
    schema = literal(f"struct<{quoted(key)}: variant>")
    return f"from_json({line}, {schema}, {JSON_OPTIONS}).{quoted(key)}"


def _first(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _record(line: str, parsed: str, names: Sequence[str], whole: str) -> Column:
    return F.expr(
        bound(parsed, "r", _struct(line, names, whole, {name: f"r.{quoted(name)}" for name in names}))
    )


def _struct(line: str, names: Sequence[str], whole: str, values: Mapping[str, str]) -> str:
    """SQL of a struct: the values if the record is well-formed, else its text as MALFORMED."""
    fields = "".join(f"{literal(name)}, IF(w, {values[name]}, NULL), " for name in names)
    made = f"named_struct({fields}{literal(MALFORMED)}, IF(w, NULL, {line}))"
    return bound(f"coalesce({whole}, false)", "w", made)


class CsvPatterns:
    """Java regular expressions for the lines of a CSV file. A quote only opens a value at its beginning."""

    def __init__(self, options: Options) -> None:
        separator, escape = re.escape(options["sep"]), re.escape(options["escape"])
        quote = re.escape(options["quote"] or "\0")
        inner = rf"[^{quote}{escape}]++"
        if options["escape"] in ("", options["quote"]):
            body = rf"(?:[^{quote}]++|{quote}{quote})*+" if escape else rf"[^{quote}]*+"
        else:
            body = rf"(?:{inner}|{escape}.)*+"
        before = r"\s*+" if flag(options, "ignoreleadingwhitespace") else ""
        after = r"\s*+" if flag(options, "ignoretrailingwhitespace") else ""
        plain = rf"[^{separator}]*+" if len(options["sep"]) == 1 else rf"(?:(?!{separator}).)*+"
        closed = rf"{before}{quote}{body}{quote}{after}"
        field = rf"(?>{closed}(?={separator}|\z)|{before}(?!{quote}){plain})"
        opened = rf"{before}{quote}{body}"
        self.each = rf"(?s){field}(?:{separator}|\z)"
        self.record = rf"(?s)^{field}(?:{separator}{field})*+\z"
        self.opens = rf"(?s)^(?:{field}{separator})*+{opened}\z"
        self.stays = rf"(?s)^{body}(?:{quote}{after}{separator}(?:{field}{separator})*+{opened})?+\z"
