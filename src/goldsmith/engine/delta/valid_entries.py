"""The columns of a quarantine with original rows, which entries are valid, and where the quarantine of a table is."""

from __future__ import annotations

ENTERED = "entered"
"""struct: the row's values, with a field for each pair of column name and type."""

ENTERED_AS = "entered_as"
"""The row's columns in order, as the JSON of a Spark schema; each names its field in ENTERED."""

FIELD = "field"
"""The key in a column's metadata that names its field in ENTERED."""


def quarantine_path(warehouse: str, table: str) -> str:
    """`silver.departures` -> `<warehouse>/quarantine/silver_departures`."""
    return f"{warehouse}/quarantine/{table.replace('.', '_')}"


def valid_entries(until: int) -> str:
    """SQL: the valid entries after `reconcile`, without marks. until: the counter of the table's last commit."""
    return f"takes_back IS NULL AND counter <= {until}"
