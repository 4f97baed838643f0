"""Finds the columns of delivered files and the columns that a table takes from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats import reader_of
from goldsmith.engine.ingest.formats.base import FilesLoad, Layout, Layouts
from goldsmith.errors import SourceError, Where
from goldsmith.project.checks.columns import IMPOSSIBLE
from goldsmith.project.models import RESERVED


def layouts(load: FilesLoad, files: Sequence[LoadedFile]) -> Layouts:
    """Groups files with the same columns in the same order, which are read together.

    Empty files are skipped. Raises SourceError: GS302 for a file that cannot be read, GS303 for one that no longer
    exists, GS305 for an invalid header.
    """
    for file in files:
        if ":" in file.path:
            raise SourceError(
                "GS302",
                "The name of a file contains a colon, and Spark cannot read such files.",
                where=Where(file=file.path, table=load.declared.name),
                hint="Rename the file.",
            )
    return reader_of(load.declared).layouts(load, files)


def table_columns(files_table: FilesTable, groups: Mapping[Layout, list[LoadedFile]]) -> tuple[str, ...]:
    """The columns of the table: declared ones, and new ones if `on_new_column` allows them.

    Raises SourceError GS305 for columns that are new, missing, or not valid in a table.
    """
    spec = files_table.spec
    declared = tuple(spec.columns)
    known = {name.lower() for name in declared}
    taken = list(declared)
    for layout, members in groups.items():
        where = Where(file=members[0].path, table=files_table.name)
        new = [name for name in layout.names if name.lower() not in known]
        if new and declared and spec.on_new_column == "fail":
            raise SourceError(
                "GS305",
                f"A file has columns that are not declared: {', '.join(new)}.",
                where=where,
                hint="Declare them under `columns:`, or set `on_new_column: add` or `ignore`.",
            )
        if spec.on_new_column == "add" or not declared:
            _refuse_impossible(new, where)
            taken += new
            known |= {name.lower() for name in new}
        present = {name.lower() for name in layout.names}
        missing = [name for name in declared if name.lower() not in present]
        if missing and spec.on_missing_column == "fail":
            raise SourceError(
                "GS305",
                f"A file lacks declared columns: {', '.join(missing)}.",
                where=where,
                hint="Deliver it again with them, or set `on_missing_column: fill` to load NULLs.",
            )
    return tuple(taken)


def _refuse_impossible(names: Iterable[str], where: Where) -> None:
    for name in names:
        if name.lower() in RESERVED or name.lower().startswith("_gs_"):
            message = f"A file has a column `{name}`, a name that Goldsmith reserves."
        elif not name or IMPOSSIBLE.search(name):
            message = f"A file has a column `{name}`, which is not a valid name of a table's column."
        else:
            continue
        raise SourceError(
            "GS305",
            message,
            where=Where(file=where.file, table=where.table, field=name),
            hint="Rename it in the file, or declare the other columns and set `on_new_column: ignore`.",
        )
