"""The headers of CSV files: the columns of a file, and what is wrong with a file that has none."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TextIO

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats.base import REDELIVER_HINT, LandedFiles
from goldsmith.engine.ingest.formats.text_start import starts
from goldsmith.engine.ingest.lines import REPLACEMENT
from goldsmith.engine.ingest.parsing import BLANKS
from goldsmith.errors import SourceError, Where

_PART = 1 << 16
_SEPARATORS = (",", ";", "\t", "|")


def csv_headers(load: LandedFiles, files: Sequence[LoadedFile]) -> Iterator[tuple[str, ...] | None]:
    """The header of each file; None for a file without lines."""
    declared = load.declared
    if not declared.source.has_header:
        columns = tuple(declared.spec.columns)
        return starts(load, files, lambda _, file: columns if file.size else None)
    return starts(load, files, lambda text, file: _csv_header(text, declared, file))


def _csv_header(text: TextIO, declared: FilesTable, file: LoadedFile) -> tuple[str, ...] | None:
    options = declared.options
    where = Where(file=file.path, table=declared.name)
    try:
        first = next(_records(delivered_lines(text, options), options), None)
    except csv.Error as error:
        raise SourceError(
            "GS302", f"The header of a file is not CSV: {error}.", where=where, hint=REDELIVER_HINT
        ) from None
    if first is None:
        return None
    refuse_without_header(first, declared, where)
    return named(first, where, options.get("encoding", "utf-8"))


def delivered_lines(text: TextIO, options: Mapping[str, str]) -> Iterator[str]:
    """The lines of a text that are neither blank nor a comment."""
    comment = options.get("comment")
    lines = _ended_by(text, options["linesep"]) if "linesep" in options else text
    return (line for line in lines if line.strip(BLANKS) and not (comment and line.startswith(comment)))


def refuse_without_header(first: Sequence[str], declared: FilesTable, where: Where) -> None:
    """Raises SourceError GS305 if the first line has another separator, or is not a header."""
    known = {name.lower() for name in declared.spec.columns}
    separator = _other_separator(first, known)
    if separator is not None:
        shown = separator.replace("\t", "\\t")
        raise SourceError(
            "GS305",
            f"The header of a file is a single column: {first[0].strip()}",
            where=where,
            hint=f'If `{shown}` separates its values, declare it: `options: {{sep: "{shown}"}}`.',
        )
    named = known.intersection(name.strip().lower() for name in first)
    values = any(re.match(r"\s*[+-]?\d", name) for name in first)
    if known and not named and (values or declared.spec.on_missing_column == "fail"):
        raise SourceError(
            "GS305",
            f"The first line of a file has none of the declared columns: {', '.join(first)}",
            where=where,
            hint="If the file has no header, set `options: {header: false}`: its values then belong to the declared "
            "columns in their order. Otherwise correct its header.",
        )


def _other_separator(first: Sequence[str], known: Collection[str]) -> str | None:
    """The separator of a header that was read as a single column; None if it is one. known: the declared columns."""
    if len(first) != 1 or first[0].strip().lower() in known:
        return None
    for separator in _SEPARATORS:
        names = {name.strip().strip('"').lower() for name in first[0].split(separator)}
        if len(names) > 1 and (not known or names.intersection(known)):
            return separator
    return None


def _ended_by(text: TextIO, separator: str) -> Iterator[str]:
    """The lines of a text with a separator other than a line break."""
    begun = ""
    while part := text.read(_PART):
        *whole, begun = (begun + part).split(separator)
        yield from whole
    yield begun


def _records(lines: Iterable[str], options: Mapping[str, str]) -> Iterator[list[str]]:
    """The fields of each line."""
    quote, separator = options["quote"], options["sep"]
    if len(separator) > 1:
        return ([part.strip(quote) for part in line.split(separator)] for line in lines)
    if not quote:
        return csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=separator, quotechar=quote)


def named(first: Sequence[str], where: Where, encoding: str = "utf-8") -> tuple[str, ...]:
    """The names of a header. Raises SourceError: GS302 for invalid bytes, GS305 for a missing or repeated name."""
    header = tuple(name.strip() for name in first)
    folded = [name.lower() for name in header]
    message = None
    if any(REPLACEMENT in name for name in header):
        message = f"The header of a file is not valid in its encoding, {encoding}."
        hint = "Declare the encoding, as in `options: {encoding: iso-8859-1}`, or deliver the file again."
        raise SourceError("GS302", message, where=where, hint=hint)
    if "" in header:
        message = "The header of a file has a column without a name."
    elif len(set(folded)) < len(folded):
        double = next(name for name in header if folded.count(name.lower()) > 1)
        message = f"The header of a file has two columns named `{double}`."
    if message is not None:
        raise SourceError(
            "GS305", message, where=where, hint="Correct the header and deliver the file again."
        )
    return header
