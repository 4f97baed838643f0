"""Tables as Airflow assets."""

from __future__ import annotations

from functools import cache

from airflow.sdk import Asset


@cache
def asset_of(table: str) -> Asset:
    """The asset of a table: `goldsmith://silver/orders`, in the group of its layer. table: its full name."""
    layer, short = table.split(".", 1)
    return Asset(name=table, uri=f"goldsmith://{layer}/{short}", group=layer)
