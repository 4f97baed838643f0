"""The file formats of bronze sources, with the options of their readers.

`goldsmith.engine.ingest.formats` reads them. A new format is an entry here, and a module there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

FormatName = Literal["csv", "json", "parquet", "avro", "debezium", "excel", "fixed_width", "xml"]
OptionKind = Literal[
    "true or false", "one character", "text", "an encoding", "keys separated by dots", "a list of widths"
]
OptionValue = str | int | float | bool | list[Any]
"""The value of an option."""


@dataclass(frozen=True)
class FileFormat:
    """A format. options: the names and values of its reader's options. has_types: whether its files have types.

    header: the default of the option `header`. zipped: whether its files may be ZIP files.
    """

    options: Mapping[str, OptionKind]
    has_types: bool = False
    header: bool = True
    zipped: bool = True


_ENCODING: dict[str, OptionKind] = {"encoding": "an encoding", "charset": "an encoding"}

ZIP = ".zip"
"""The end of the names of ZIP files, in any case."""

ARCHIVES: Mapping[str, str] = {
    ZIP: "ZIP files",
    ".7z": "7-Zip archives",
    ".rar": "RAR archives",
    **dict.fromkeys((".tar", ".tgz", ".tar.gz", ".tar.zst", ".tar.bz2", ".tar.xz"), "tar archives"),
    ".xz": "files compressed by xz",
}
"""What no format reads, by the end of the files' names, but for ZIP files with one file in them."""

FORMATS: Mapping[FormatName, FileFormat] = {
    "csv": FileFormat(
        {
            **_ENCODING,
            "sep": "text",
            "delimiter": "text",
            "quote": "one character",
            "escape": "one character",
            "header": "true or false",
            "comment": "one character",
            "nullValue": "text",
            "emptyValue": "text",
            "ignoreLeadingWhiteSpace": "true or false",
            "ignoreTrailingWhiteSpace": "true or false",
            "multiLine": "true or false",
            "lineSep": "text",
        }
    ),
    "json": FileFormat(
        {
            **_ENCODING,
            "lineSep": "text",
            "multiLine": "true or false",
            "records": "keys separated by dots",
        }
    ),
    "parquet": FileFormat({}, has_types=True, zipped=False),
    "avro": FileFormat({}, has_types=True),
    "debezium": FileFormat({**_ENCODING, "lineSep": "text"}),
    "excel": FileFormat({"sheet": "text", "header": "true or false"}, zipped=False),
    "fixed_width": FileFormat(
        {**_ENCODING, "widths": "a list of widths", "header": "true or false", "lineSep": "text"},
        header=False,
    ),
    "xml": FileFormat({"records": "keys separated by dots"}),
}
