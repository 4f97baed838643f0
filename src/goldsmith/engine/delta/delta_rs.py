"""Reads tables with delta-rs, without a JVM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goldsmith.engine.delta.state import HistoryGone
from goldsmith.engine.s3 import delta_rs_options

if TYPE_CHECKING:
    from deltalake import DeltaTable

TABLE = "t"
"""The name of the table in queries."""

_SETTINGS = ("datafusion.execution.parquet.coerce_int96 = 'us'",)
"""Spark writes timestamps as INT96, which as nanoseconds have no years before 1678 and after 2262."""


class NeedsSpark(Exception):  # noqa: N818 - asks the caller to start Spark
    """An answer that needs Spark; the message is the reason."""


def query(path: str, sql: str) -> list[dict[str, Any]]:
    """The rows of a query over the newest version of one table, which it names TABLE.

    sql: in DataFusion's dialect, whose identifiers are lower case unless quoted. Timestamps have the zone UTC.
    Raises NeedsSpark if delta-rs cannot read the table, as with table features that it does not know.
    """
    from deltalake import QueryBuilder

    try:
        engine = QueryBuilder()
        for setting in _SETTINGS:
            engine.execute(f"SET {setting}").read_all()
        found = engine.register(TABLE, _opened(path)).execute(sql).read_all()
        return [dict(row) for row in found.to_struct_array().to_pylist()]
    except Exception as error:
        raise NeedsSpark(f"delta-rs cannot read {path}: {error}") from error


def checkpointed(path: str, action: str, version: int) -> Mapping[str, Any]:
    """The table's `metadata` or `protocol` at a version, from the checkpoint before it. Raises HistoryGone."""
    try:
        table = _opened(path, version)
        if action == "protocol":
            protocol = table.protocol()
            return {
                "minReaderVersion": protocol.min_reader_version,
                "minWriterVersion": protocol.min_writer_version,
                "readerFeatures": protocol.reader_features,
                "writerFeatures": protocol.writer_features,
            }
        metadata = table.metadata()
        return {
            "id": str(metadata.id),
            "schemaString": table.schema().to_json(),
            "configuration": metadata.configuration,
        }
    except Exception as error:
        raise HistoryGone(f"{path} version {version}: {error}") from error


def _opened(path: str, version: int | None = None) -> DeltaTable:
    from deltalake import DeltaTable

    if "%" in path:
        # It decodes paths more than once, and would read another folder.
        raise NeedsSpark(f"the path {path} contains a percent sign")
    return DeltaTable(path, version=version, storage_options=delta_rs_options(path))
