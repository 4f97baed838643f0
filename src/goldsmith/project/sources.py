"""The kinds of sources of bronze tables: the keys that each declares, and the columns that it gives.

`goldsmith.run.sources` reads them. A new kind is a class here, and a module there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from goldsmith.project.connections import BUCKET, DATABASE
from goldsmith.project.formats import FORMATS, FormatName, OptionValue
from goldsmith.project.loads.append import Append
from goldsmith.project.loads.overwrite_partitions import OverwritePartitions
from goldsmith.project.source_values import below_address, below_landing, function_path, length_or_number
from goldsmith.project.strict_model import Names, Strict
from goldsmith.project.system_columns import INTERVAL


class DeclaredSource(Strict):
    """Base class of all sources."""

    loads: ClassVar[tuple[type[Append], ...]] = (Append,)
    """The loads that its table may declare; the first one is the default."""

    keeps_types: ClassVar[bool] = True
    """Whether only an explicit rebuild may change a column's type: delivered files may have been archived."""

    @property
    def may_change_types(self) -> bool:
        """Whether files may bring another type for a column without a declared one."""
        return False

    def accepts(self, load: object) -> bool:
        """Whether its table may declare this load."""
        return isinstance(load, self.loads)

    def by_interval(self, load: object) -> bool:  # noqa: ARG002 - for subclasses
        """Whether a table with this load asks the source for single days, whose rows replace the former ones."""
        return False

    @property
    def connection(self) -> tuple[str, str] | None:
        """The connection of the profile that it reads, and what its address begins with; None if it reads none."""
        return None

    def place(self, landing: str) -> str:
        """The location of the rows, for lineage. landing: the landing root."""
        raise NotImplementedError

    def summary(self) -> str:
        """The source on one line."""
        raise NotImplementedError


class ReadsFiles(DeclaredSource):
    """Base class of sources whose rows are read from files, of a format and with options of its reader."""

    if TYPE_CHECKING:

        @property
        def format(self) -> FormatName: ...
        @property
        def options(self) -> Mapping[str, OptionValue]: ...

    @property
    def whole_documents(self) -> bool:
        """Whether each file is a single JSON document."""
        options = {name.lower(): str(value).lower() for name, value in self.options.items()}
        return self.format == "json" and (options.get("multiline") == "true" or "records" in options)

    @property
    def has_header(self) -> bool:
        """Whether the first line of each file names the columns."""
        options = {name.lower(): str(value).lower() for name, value in self.options.items()}
        default = str(FORMATS[self.format].header).lower()
        return options.get("header", default) == "true"

    def gives_columns(self, types: Collection[str | None]) -> bool:
        """Whether the declared columns suffice without reading a file. Without a type they are text, unless files have types."""
        return bool(types) and (not FORMATS[self.format].has_types or all(types))


class DeclaresFormat(ReadsFiles):
    """Base class of sources whose files have a declared format."""

    format: FormatName = Field(
        description="json: a document per line. debezium: change events, a JSON envelope per line. excel: a sheet of .xlsx. "
        "fixed_width: fields of fixed widths. xml: elements as rows."
    )
    options: dict[str, OptionValue] = Field(
        default_factory=dict,
        description="Options of the reader: delimiter, encoding, nullValue, multiLine, widths, ...",
    )

    @property
    def may_change_types(self) -> bool:
        return FORMATS[self.format].has_types


class FilesSource(DeclaresFormat):
    """Files delivered below the landing root."""

    files: Annotated[str, AfterValidator(below_landing)] = Field(
        description="A glob under the landing root: departures/*.csv"
    )
    on_replaced: Literal["load", "replace", "ignore", "fail"] = Field(
        "load",
        description="What to do with a file that was replaced after it was loaded: load it in addition to its former "
        "rows, replace these, ignore it, or fail.",
    )

    def place(self, landing: str) -> str:
        return f"{landing}/{self.files.rpartition('/')[0]}"

    def summary(self) -> str:
        return self.files


class ExtractSource(DeclaresFormat):
    """Files that a Python function writes, which is called by each load."""

    extract: Annotated[str, AfterValidator(function_path)] = Field(
        description="A function of a Python file beside pipeline.yaml: `api:orders` is `orders` in api.py."
    )

    def accepts(self, load: object) -> bool:
        return self.by_interval(load) or super().accepts(load)

    def by_interval(self, load: object) -> bool:
        return isinstance(load, OverwritePartitions) and load.by == (INTERVAL,)

    @property
    def module(self) -> str:
        """The name of the function's module."""
        return self.extract.partition(":")[0]

    @property
    def function(self) -> str:
        """The name of the function."""
        return self.extract.partition(":")[2]

    def place(self, landing: str) -> str:
        return f"{landing}/{EXTRACTS}"

    def summary(self) -> str:
        return f"extract {self.extract}"


DELETED = "_deleted"
"""The column that is true for rows that a database no longer has."""


class JdbcSource(ReadsFiles):
    """A table or query of a database, which each load reads."""

    format: ClassVar[FormatName] = "parquet"
    options: ClassVar[Mapping[str, OptionValue]] = {}

    jdbc: str = Field(description="The name of a connection of the profile.")
    table: str | None = Field(None, description="The table, in the database's spelling: public.orders")
    query: str | None = Field(None, description="A query in the database's SQL, instead of a table.")
    key: Names = Field((), description="The columns that identify a row.")
    cursor: str | None = Field(
        None,
        description="A column that grows with each change. Later loads read rows from its last value on.",
    )
    overlap: Annotated[str | int, AfterValidator(length_or_number)] | None = Field(
        None,
        description="How far before that value they begin, for rows that are committed late: 10m, or a number.",
    )
    deletes: bool = Field(
        False, description="Find deleted rows by their keys. They are loaded with `_deleted`: true."
    )
    split_by: str | None = Field(
        None, description="A number, date or time whose ranges are read in parallel."
    )
    parallel: int = Field(1, ge=1, le=64, description="The number of ranges.")

    @model_validator(mode="after")
    def _is_readable(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("a database is read by `table` or by `query`")
        if not self.key and self.cursor is None:
            raise ValueError(
                "`source` needs `key` or `cursor`: without them, changed rows cannot be identified"
            )
        for key, other, value in (
            ("deletes", "key", self.deletes and not self.key),
            ("overlap", "cursor", self.overlap is not None and self.cursor is None),
            ("parallel", "split_by", self.parallel > 1 and self.split_by is None),
        ):
            if value:
                raise ValueError(f"`{key}` needs `{other}`")
        return self

    @property
    def named(self) -> Names:
        """The columns that its keys name."""
        return (*self.key, *(name for name in (self.cursor, self.split_by) if name is not None))

    @property
    def connection(self) -> tuple[str, str]:
        return self.jdbc, DATABASE

    @property
    def relation(self) -> str:
        """The table or query as an operand of FROM."""
        return self.table if self.table is not None else f"({self.query}) goldsmith_query"

    def place(self, landing: str) -> str:
        return f"{landing}/{EXTRACTS}"

    def summary(self) -> str:
        return f"{self.jdbc}: {self.table or 'a query'}"


class S3Source(DeclaresFormat):
    """Objects of another bucket, which each load copies."""

    s3: str = Field(description="The name of a connection of the profile, to a bucket.")
    files: Annotated[str, AfterValidator(below_address)] = Field(
        description="A glob under the connection's address: orders/*.csv"
    )
    on_replaced: Literal["load", "ignore", "fail"] = Field(
        "load",
        description="What to do with an object that was replaced after it was loaded: load it in addition to its "
        "former rows, ignore it, or fail.",
    )

    @property
    def connection(self) -> tuple[str, str]:
        return self.s3, BUCKET

    def place(self, landing: str) -> str:
        return f"{landing}/{EXTRACTS}"

    def summary(self) -> str:
        return f"{self.s3}: {self.files}"


EXTRACTS = "_extracts"
"""The folder below the landing root with the files of sources that loads ask, which globs never match."""


def _kind(value: object) -> str | None:
    """The tag of a declared source, by the key that names it."""
    if isinstance(value, DeclaredSource):
        return next((tag for tag, kind in SOURCES.items() if type(value) is kind), None)
    if isinstance(value, dict):
        # A source of another kind may have the key `files` too.
        return next((tag for tag in SOURCES if tag != ".files" and tag.removeprefix(".") in value), ".files")
    return ".files"


Source = Annotated[
    Annotated[FilesSource, Tag(".files")]
    | Annotated[ExtractSource, Tag(".extract")]
    | Annotated[JdbcSource, Tag(".jdbc")]
    | Annotated[S3Source, Tag(".s3")],
    Discriminator(_kind),
]

SOURCES: Mapping[str, type[DeclaredSource]] = {
    ".files": FilesSource,
    ".extract": ExtractSource,
    ".jdbc": JdbcSource,
    ".s3": S3Source,
}
"""Every kind of source, by its tag in the union, which is not part of YAML."""


def globs(sources: Mapping[str, DeclaredSource | None]) -> dict[str, str]:
    """The globs of the tables that read files, by table name."""
    return {name: source.files for name, source in sources.items() if isinstance(source, FilesSource)}
