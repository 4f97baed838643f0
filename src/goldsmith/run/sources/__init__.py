"""The implementations of sources: `files` reads delivered files, `upstreams` other tables.

Others are asked for new rows in each load: `extracts` a function, `jdbc` a database, `mirrors` a bucket.

`goldsmith.project.sources` declares them. A new kind is a module here and a line below.
"""

from typing import Any

from goldsmith.project.sources import ExtractSource, FilesSource, JdbcSource, S3Source
from goldsmith.project.tables import Table
from goldsmith.run.sources.base import RowSource
from goldsmith.run.sources.extracts import Extracts
from goldsmith.run.sources.files import Files
from goldsmith.run.sources.jdbc import Jdbc
from goldsmith.run.sources.mirrors import Mirrors
from goldsmith.run.sources.upstreams import Upstreams

_SOURCES: dict[type, RowSource[Any]] = {
    FilesSource: Files(),
    ExtractSource: Extracts(),
    JdbcSource: Jdbc(),
    S3Source: Mirrors(),
    type(None): Upstreams(),
}


def source_of(table: Table) -> RowSource[Any]:
    """The source of a table's rows."""
    return _SOURCES[type(table.spec.source)]
