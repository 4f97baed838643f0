"""The kinds of sources of bronze tables: the keys that each declares, and the columns that it gives.

`goldsmith.run.sources` reads them. A new kind is a class here, and a module there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from goldsmith.project.formats import FORMATS, FormatName
from goldsmith.project.loads import Append
from goldsmith.project.strict_model import Strict

SYSTEM_COLUMNS: Mapping[str, str] = {
    "_source_file": "string",
    "_source_modified": "timestamp",
    "_source_size": "bigint",
    "_ingested_at": "timestamp",
    "_run_id": "string",
}
"""The columns that Goldsmith adds to every bronze table, with their Spark types."""

INGESTED_AT = "_ingested_at"
"""The system column with the time at which the row was loaded."""


def _below_landing(files: str) -> str:
    """Checks that a glob stays below the landing folder."""
    parts = files.split("/")
    if files.startswith(("/", "~")) or "://" in files or ".." in parts:
        raise ValueError(f"`source.files` must stay below the landing folder, and `{files}` leaves it")
    if "" in parts or "." in parts or "\\" in files:
        raise ValueError(f"`source.files` is a path with single slashes and without `.`, not `{files}`")
    return files


class FilesSource(Strict):
    """Files delivered below the landing root."""

    files: Annotated[str, AfterValidator(_below_landing)] = Field(
        description="A glob under the landing root: departures/*.csv"
    )
    format: FormatName = Field(description="json means one JSON document per line.")
    options: dict[str, str | int | float | bool] = Field(
        default_factory=dict,
        description="Options of Spark's reader: delimiter, encoding, nullValue, multiLine, ...",
    )
    on_replaced: Literal["load", "ignore", "fail"] = Field(
        "load", description="What to do with a file that was replaced after it was loaded."
    )

    loads: ClassVar[tuple[type[Append], ...]] = (Append,)
    """The loads that its table may declare; the first one is the default."""

    keeps_types: ClassVar[bool] = True
    """Whether only an explicit rebuild may change a column's type: delivered files may have been archived."""

    def accepts(self, load: object) -> bool:
        """Whether its table may declare this load."""
        return isinstance(load, self.loads)

    def place(self, landing: str) -> str:
        """The location of the rows, for lineage. landing: the landing root."""
        return f"{landing}/{self.files.rpartition('/')[0]}"

    def gives_columns(self, types: Collection[str | None]) -> bool:
        """Whether the declared columns suffice without reading a file. Without a type they are text, unless files have types."""
        return bool(types) and (not FORMATS[self.format].has_types or all(types))

    def summary(self) -> str:
        """The source on one line: the glob of its files."""
        return self.files


Source = FilesSource
"""Every kind of source."""


def globs(sources: Mapping[str, Source | None]) -> dict[str, str]:
    """The globs of the tables that read files, by table name."""
    return {name: source.files for name, source in sources.items() if isinstance(source, FilesSource)}
