"""Names shared by the user home, the requests and the lake."""

CONNECTION = "lakehouse"
"""The name of the connection, in DQOps' console and in all requests."""

VERSION = "1.11.6"
"""The DQOps release that the generated files are valid for: the last one under the Apache licence."""

IMPORT_CHECK = "daily_import_custom_result_on_table"
"""The check that imports load verdicts into the console."""

GROUPING = "verdicts"
"""The data grouping of that check. With a configured grouping each series has its own id."""

NO_GROUP = "no grouping"
"""The server's series name for a check without groups."""

FOLDER = "dqops_userhome"
"""The user home, below the project folder."""


def table_path(name: str) -> str:
    """The path of a table's file below the home."""
    return f"sources/{CONNECTION}/{name}.dqotable.yaml"
