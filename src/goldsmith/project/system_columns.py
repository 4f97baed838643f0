"""The columns that Goldsmith adds to bronze tables."""

from __future__ import annotations

from collections.abc import Mapping

SYSTEM_COLUMNS: Mapping[str, str] = {
    "_source_file": "string",
    "_source_modified": "timestamp",
    "_source_size": "bigint",
    "_ingested_at": "timestamp",
    "_run_id": "string",
}
"""The columns that Goldsmith adds to every bronze table, with their Spark types."""

SOURCE_FILE = "_source_file"
"""The system column with the path of the row's file."""

INGESTED_AT = "_ingested_at"
"""The system column with the time at which the row was loaded."""

INTERVAL = "_interval"
"""The system column with the day that a source was asked for, of tables that are loaded by interval."""
