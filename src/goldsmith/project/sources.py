"""Where a bronze table's rows come from: what each kind of source declares, and what that means for its table.

How rows are read is in `goldsmith.run.sources`. A new kind is a class here, and a module there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from goldsmith.project.loads import Append
from goldsmith.project.strict import Strict

SYSTEM_COLUMNS: Mapping[str, str] = {
    "_source_file": "string",
    "_source_modified": "timestamp",
    "_source_size": "bigint",
    "_ingested_at": "timestamp",
    "_run_id": "string",
}
"""What every bronze table carries beside its delivered columns, with Spark types."""

INGESTED_AT = "_ingested_at"
"""Of these, when the row was loaded."""


def _below_landing(files: str) -> str:
    """A glob that cannot leave the landing folder."""
    parts = files.split("/")
    if files.startswith(("/", "~")) or "://" in files or ".." in parts:
        raise ValueError(f"`source.files` names files below the landing folder, and `{files}` leaves it")
    if "" in parts or "." in parts or "\\" in files:
        raise ValueError(f"`source.files` is a path with single slashes and without `.`, not `{files}`")
    return files


class FilesSource(Strict):
    """Rows come from files that someone delivers into the landing area."""

    files: Annotated[str, AfterValidator(_below_landing)] = Field(
        description="A glob under the landing root: departures/*.csv"
    )
    format: Literal["csv", "json", "parquet"] = Field(description="json means one document a line.")
    options: dict[str, str | int | float | bool] = Field(
        default_factory=dict,
        description="Options of Spark's reader: delimiter, encoding, nullValue, multiLine, ...",
    )
    on_replaced: Literal["load", "ignore", "fail"] = Field(
        "load", description="What to do with a file that was replaced under its name after it was loaded."
    )

    loads: ClassVar[tuple[type[Append], ...]] = (Append,)
    """The loads that its table may have; the first one where none is declared."""

    def place(self, landing: str) -> str:
        """Where the rows come from, for lineage. landing: the landing root."""
        return f"{landing}/{self.files.rpartition('/')[0]}"

    def gives_columns(self, types: Collection[str | None]) -> bool:
        """Whether declared columns are known before any file is: text where they have no type, but for Parquet's own."""
        return bool(types) and (self.format != "parquet" or all(types))

    def in_words(self) -> str:
        """The source in a few words: the files' glob."""
        return self.files


Source = FilesSource
"""Every kind of source."""


def globs(sources: Mapping[str, Source | None]) -> dict[str, str]:
    """The globs of the tables that read files, by the tables' names."""
    return {name: source.files for name, source in sources.items() if isinstance(source, FilesSource)}
