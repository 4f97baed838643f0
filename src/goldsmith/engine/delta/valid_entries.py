"""Which entries of a quarantine are valid, and where the quarantine of a table is."""

from __future__ import annotations


def quarantine_path(warehouse: str, table: str) -> str:
    """`silver.departures` -> `<warehouse>/quarantine/silver_departures`."""
    return f"{warehouse}/quarantine/{table.replace('.', '_')}"


def valid_entries(until: int) -> str:
    """SQL: the valid entries after `reconcile`, without marks. until: the counter of the table's last commit."""
    return f"takes_back IS NULL AND counter <= {until}"
