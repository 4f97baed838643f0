"""The table versions of a page, and their form in the request header."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

HEADER = "X-Lakehouse-Moment"
"""The request header with the versions of a page."""
MAX_LENGTH = 7000
"""The maximum length of the header; a web server accepts 8 KB."""

Name = tuple[int, str]
"""A table: the id of its database in Superset, and `schema.table` in lower case."""

_ID = 8
_TABLE = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_ENTRY = re.compile(rf"([0-9]{{1,9}})/({_TABLE.pattern})=([0-9]{{1,15}})\.([0-9a-f]{{{_ID}}})")


class MalformedHeaderError(ValueError):
    """The header is malformed. The message is for the user."""


class TableReplaced(Exception):  # noqa: N818 - a state of the table
    """A table of the page was replaced by another one. The message is for the user."""

    def __init__(self, table: str) -> None:
        super().__init__(f"The table {table} was replaced since this page was opened. Reload the page.")


@dataclass(frozen=True)
class Version:
    """A table's version. table: Delta's id of it. committed: seconds since 1970."""

    number: int
    table: str
    committed: float

    @property
    def id(self) -> str:
        """The prefix of the table's id in the header."""
        return self.table[:_ID]


Versions = Mapping[str, Version]
"""By `schema.table`."""


@dataclass(frozen=True)
class RequestedVersion:
    """A version that a page requests."""

    number: int
    id: str


def to_header(versions: Mapping[Name, Version]) -> str:
    """The header for some versions. Tables beyond its maximum length are omitted, and read at their newest version."""
    entries: list[str] = []
    length = 0
    for (database, table), version in sorted(versions.items()):
        entry = f"{database}/{table}={version.number}.{version.id}"
        if not _ENTRY.fullmatch(entry):
            continue
        length += len(entry) + 1
        if length > MAX_LENGTH:
            break
        entries.append(entry)
    return ",".join(entries)


def from_header(header: str) -> dict[Name, RequestedVersion]:
    """The versions in a header. Raises MalformedHeaderError."""
    found: dict[Name, RequestedVersion] = {}
    if len(header) > MAX_LENGTH:
        raise MalformedHeaderError(f"{HEADER} is longer than {MAX_LENGTH} characters.")
    for entry in header.split(",") if header else ():
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise MalformedHeaderError(
                f"{HEADER} must have entries like 1/gold.sales=12.0a1b2c3d, separated by commas."
            )
        found[int(match[1]), match[2]] = RequestedVersion(int(match[3]), match[4])
    return found


def for_page(
    versions: Versions, requested: Mapping[str, RequestedVersion]
) -> dict[str, Version | TableReplaced]:
    """The versions that a page's requests read: the requested ones, and the newest of the other tables.

    Unknown tables are ignored.
    """
    found: dict[str, Version | TableReplaced] = dict(versions)
    for table, wanted in requested.items():
        known = versions.get(table)
        if known is None:
            continue
        replaced = wanted.id != known.id or wanted.number > known.number
        found[table] = (
            TableReplaced(table) if replaced else Version(wanted.number, known.table, known.committed)
        )
    return found


def newest_commit(versions: Iterable[Version]) -> float | None:
    """The commit time of the newest of some versions."""
    return max((version.committed for version in versions), default=None)
