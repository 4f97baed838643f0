"""Names that the user home, the calls and the lake share."""

CONNECTION = "lakehouse"
"""The name of the connection, in DQOps' console and in every call."""

VERSION = "1.11.6"
"""The release of DQOps that everything generated is valid for: the last one under the Apache licence."""

IMPORT_CHECK = "daily_import_custom_result_on_table"
"""The check that brings what loads found into the console."""

GROUPING = "verdicts"
"""The data grouping of that check: with one that is configured each of its series has an id of its own."""

NO_GROUP = "no grouping"
"""What the server calls the series of a check without groups."""

FOLDER = "dqops_userhome"
"""The user home, below the project's folder."""


def table_path(name: str) -> str:
    """Where a table's file stands below the home."""
    return f"sources/{CONNECTION}/{name}.dqotable.yaml"
