"""The declared comments, properties and clustering of a table."""

from __future__ import annotations

from goldsmith.engine.delta.described import Description
from goldsmith.engine.delta.log import TableLog
from goldsmith.project.tables import Table


def description_for(table: Table, log: TableLog) -> Description:
    """The table's description, with column names in the case of the Delta table if the analysis does not know them."""
    is_unknown = table.columns is None or table.code is not None
    return description_of(table.resolved(log.types()) if is_unknown else table)


def description_of(table: Table) -> Description:
    """The declared comments, properties and clustering of a table."""
    spec = table.spec
    return Description(
        comment=spec.description,
        columns={name: column.description for name, column in spec.columns.items() if column.description},
        properties=spec.properties,
        cluster_by=spec.cluster_by,
    )
