"""The kinds of sources of bronze tables: the keys that each declares, and the columns that it gives.

`goldsmith.run.sources` reads them. A new kind is a class here, and a module there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from goldsmith.project.formats import FORMATS, FormatName
from goldsmith.project.loads import Append
from goldsmith.project.strict_model import Strict


def _below_landing(files: str) -> str:
    """Checks that a glob stays below the landing folder."""
    parts = files.split("/")
    if files.startswith(("/", "~")) or "://" in files or ".." in parts:
        raise ValueError(f"`source.files` must stay below the landing folder, and `{files}` leaves it")
    if "" in parts or "." in parts or "\\" in files:
        raise ValueError(f"`source.files` is a path with single slashes and without `.`, not `{files}`")
    return files


def _function(path: str) -> str:
    """Checks the path `module:function`."""
    module, _, function = path.partition(":")
    if module.endswith(".py"):
        raise ValueError(
            f"`{path}` names the module without its suffix: `{module.removesuffix('.py')}:{function}`"
        )
    if not all(part.isidentifier() for part in (*module.split("."), function)):
        raise ValueError(f"`{path}` is not `module:function`, such as `api:orders` for `orders` in api.py")
    return path


class DeclaredSource(Strict):
    """Base class of all sources."""

    loads: ClassVar[tuple[type[Append], ...]] = (Append,)
    """The loads that its table may declare; the first one is the default."""

    keeps_types: ClassVar[bool] = True
    """Whether only an explicit rebuild may change a column's type: delivered files may have been archived."""

    def accepts(self, load: object) -> bool:
        """Whether its table may declare this load."""
        return isinstance(load, self.loads)

    def place(self, landing: str) -> str:
        """The location of the rows, for lineage. landing: the landing root."""
        raise NotImplementedError

    def summary(self) -> str:
        """The source on one line."""
        raise NotImplementedError


class ReadsFiles(DeclaredSource):
    """Base class of sources whose rows are read from files."""

    format: FormatName = Field(description="json means one JSON document per line.")
    options: dict[str, str | int | float | bool] = Field(
        default_factory=dict,
        description="Options of Spark's reader: delimiter, encoding, nullValue, multiLine, ...",
    )

    def gives_columns(self, types: Collection[str | None]) -> bool:
        """Whether the declared columns suffice without reading a file. Without a type they are text, unless files have types."""
        return bool(types) and (not FORMATS[self.format].has_types or all(types))


class FilesSource(ReadsFiles):
    """Files delivered below the landing root."""

    files: Annotated[str, AfterValidator(_below_landing)] = Field(
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


class ExtractSource(ReadsFiles):
    """Files that a Python function writes, which is called by each load."""

    extract: Annotated[str, AfterValidator(_function)] = Field(
        description="A function of a Python file beside pipeline.yaml: `api:orders` is `orders` in api.py."
    )

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


EXTRACTS = "_extracts"
"""The folder below the landing root with the files of extracts, which globs never match."""


def _kind(value: object) -> str | None:
    """The tag of a declared source, by the key that names it."""
    if isinstance(value, DeclaredSource):
        return next((tag for tag, kind in SOURCES.items() if type(value) is kind), None)
    if isinstance(value, dict):
        return next((f".{key}" for key in value if f".{key}" in SOURCES), ".files")
    return ".files"


Source = Annotated[
    Annotated[FilesSource, Tag(".files")] | Annotated[ExtractSource, Tag(".extract")], Discriminator(_kind)
]

SOURCES: Mapping[str, type[DeclaredSource]] = {".files": FilesSource, ".extract": ExtractSource}
"""Every kind of source, by its tag in the union, which is not part of YAML."""


def globs(sources: Mapping[str, DeclaredSource | None]) -> dict[str, str]:
    """The globs of the tables that read files, by table name."""
    return {name: source.files for name, source in sources.items() if isinstance(source, FilesSource)}
