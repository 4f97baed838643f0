"""Checks the reader options of file sources."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.formats import FORMATS, FormatName, OptionKind
from goldsmith.project.hints import hint_for
from goldsmith.project.sources import ReadsFiles
from goldsmith.project.tables import Table

_OWN = frozenset({"mode", "columnpruning", "columnnameofcorruptrecord", "badrecordspath"})
_OF_TYPES = frozenset(
    {
        "dateformat",
        "timestampformat",
        "timestampntzformat",
        "timezone",
        "locale",
        "inferschema",
        "prefersdate",
    }
    | {"nanvalue", "positiveinf", "negativeinf", "enforceschema", "samplingratio", "primitivesasstring"}
    | {"prefersdecimal", "enabledatetimeparsingfallback"}
)
_OF_LISTING = frozenset(
    {"pathglobfilter", "recursivefilelookup", "modifiedbefore", "modifiedafter"}
    | {"ignoremissingfiles", "ignorecorruptfiles", "compression"}
)
_PATTERN = "Declare the pattern with the column: `day: {type: date, format: yyyyMMdd}`."
_ON_COLUMNS = {
    "dateformat": _PATTERN,
    "timestampformat": _PATTERN,
    "timestampntzformat": _PATTERN,
    "timezone": "Declare it with the column: `at: {type: timestamp, timezone: Europe/Berlin}`.",
    "locale": "Declare with the column how its numbers are written: `decimal` and `thousands`.",
}
"""Options of Spark's reader that are keys of a column here."""
_WIDE = ("utf-16", "utf-32", "utf-7")


def options_of_files(table: Table, source: ReadsFiles) -> Iterator[DeclarationError]:
    """Mistakes in a source's `options`: GS102 for a name, GS103 for a value, GS110 for an option without effect."""
    known = {name.lower(): (name, takes) for name, takes in FORMATS[source.format].options.items()}
    for name, value in source.options.items():
        where = table.where("source", "options", name)
        if name.lower() not in known:
            code, message, hint = _refused(source.format, name)
            yield DeclarationError(code, message, where=where, hint=hint)
            continue
        misfit = _misfit(value, known[name.lower()][1])
        if misfit is not None:
            message = f"`source.options.{name}` takes {known[name.lower()][1]}, not {misfit}."
            yield DeclarationError("GS103", message, where=where, hint=_AS_IN[known[name.lower()][1]])
        elif source.format == "json" and name.lower() == "linesep" and source.whole_documents:
            yield DeclarationError(
                "GS110",
                f"The option `{name}` has no effect: each file is one document.",
                where=where,
                hint="Remove it.",
            )


def widths(table: Table, source: ReadsFiles) -> Iterator[DeclarationError]:
    """Missing `widths` of a fixed-width source (GS104), and a number of them other than that of the columns (GS110)."""
    if source.format != "fixed_width":
        return
    name, found = next(
        ((name, value) for name, value in source.options.items() if name.lower() == "widths"), (None, None)
    )
    if name is None:
        yield DeclarationError(
            "GS104",
            "Fixed-width files need the option `widths`.",
            where=table.where("source", "options") if source.options else table.where("source"),
            hint=_AS_IN["a list of widths"],
        )
    elif (
        isinstance(found, list)
        and not source.has_header
        and table.spec.columns
        and _misfit(found, "a list of widths") is None
        and len(found) != len(table.spec.columns)
    ):
        yield DeclarationError(
            "GS110",
            f"`source.options.{name}` and `columns` differ in number: {len(found)} and {len(table.spec.columns)}.",
            where=table.where("source", "options", name),
            hint="Declare a column for each width, in the order of the fields. If the first line of each file names "
            "the columns, set `header: true`.",
        )


_AS_IN: dict[OptionKind, str] = {
    "true or false": "As in `options: {multiLine: true}`.",
    "one character": 'As in `options: {comment: "#"}`.',
    "text": 'As in `options: {sep: ";"}`.',
    "keys separated by dots": "As in `options: {records: data.items}`.",
    "a list of widths": "As in `options: {widths: [5, 10, 8]}`: the number of characters of each field.",
    "an encoding": "As in `options: {encoding: iso-8859-1}`. Convert UTF-16 and UTF-32 files to UTF-8.",
}


def _refused(form: FormatName, name: str) -> tuple[str, str, str]:
    folded, known = name.lower(), FORMATS[form].options
    if folded in _OWN:
        message = f"Goldsmith sets the option `{name}` itself: malformed records are quarantined."
        return "GS110", message, "Remove it."
    if folded in _OF_TYPES:
        message = (
            f"The option `{name}` has no effect: values are read as text and cast to their declared types."
        )
        return (
            "GS110",
            message,
            _ON_COLUMNS.get(folded, "Remove it, and convert the values in a silver table."),
        )
    if folded in _OF_LISTING:
        message = f"The option `{name}` has no effect: `files` selects the files, and their suffixes the compression."
        return "GS110", message, "Remove it, or change `files`."
    others = [other for other, each in FORMATS.items() if folded in {key.lower() for key in each.options}]
    if others:
        message = f"The option `{name}` has no effect on {form} files, only on {' and '.join(others)}."
        return "GS110", message, "Remove it."
    message = f"There is no option `{name}` for {form} files."
    hint = "Remove it." if not known else hint_for(name, known)
    return "GS102", message, hint


def _misfit(value: object, takes: OptionKind) -> str | None:
    """The value as text if it is not valid for an option, else None."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if takes == "true or false":
        fits = text.lower() in ("true", "false")
    elif takes == "one character":
        fits = isinstance(value, str) and len(value) <= 1
    elif takes == "keys separated by dots":
        fits = isinstance(value, str) and all(value.split("."))
    elif takes == "an encoding":
        fits = _is_encoding(text)
    elif takes == "a list of widths":
        fits = (
            isinstance(value, list) and bool(value) and all(type(each) is int and each > 0 for each in value)
        )
    else:
        fits = not isinstance(value, bool | list)
    return None if fits else f"`{text}`"


def _is_encoding(name: str) -> bool:
    """Whether an encoding exists and has one-byte line breaks: the reader splits lines before it decodes them."""
    try:
        found = codecs.lookup(name)
        return found.name not in _WIDE and not found.name.startswith(_WIDE) and "\n".encode(name) == b"\n"
    except (LookupError, UnicodeError, TypeError):
        return False
