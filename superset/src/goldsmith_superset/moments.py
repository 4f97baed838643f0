"""A moment: the versions of the tables that a page shows, all looked up at once, and how a browser repeats them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

HEADER = "X-Lakehouse-Moment"
"""The header of a request by which a page names its moment."""
LONGEST = 7000
"""Characters of the header at most; a web server takes 8 KB."""

Name = tuple[int, str]
"""A table: the id of its database in Superset, and `schema.table` in lower case."""

_ID = 8
_TABLE = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_ENTRY = re.compile(rf"([0-9]{{1,9}})/({_TABLE.pattern})=([0-9]{{1,15}})\.([0-9a-f]{{{_ID}}})")


class MalformedError(ValueError):
    """The header is not one that a page of ours sends. The message is for the reader."""


class Replaced(Exception):  # noqa: N818 - what happened to the table
    """The table of a page's moment was replaced by another one. The message is for the reader."""

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
        """The part of the table's id that a page repeats."""
        return self.table[:_ID]


Versions = Mapping[str, Version]
"""By `schema.table`."""


@dataclass(frozen=True)
class Named:
    """A version as a page names it."""

    number: int
    id: str


def written(versions: Mapping[Name, Version]) -> str:
    """Versions as the header has them. Tables for which there is no space are left out, and read as they stand."""
    entries: list[str] = []
    length = 0
    for (database, table), version in sorted(versions.items()):
        entry = f"{database}/{table}={version.number}.{version.id}"
        if not _ENTRY.fullmatch(entry):
            continue
        length += len(entry) + 1
        if length > LONGEST:
            break
        entries.append(entry)
    return ",".join(entries)


def read(header: str) -> dict[Name, Named]:
    """The versions that a header names. Raises MalformedError."""
    found: dict[Name, Named] = {}
    if len(header) > LONGEST:
        raise MalformedError(f"{HEADER} is longer than {LONGEST} characters.")
    for entry in header.split(",") if header else ():
        told = _ENTRY.fullmatch(entry)
        if told is None:
            raise MalformedError(
                f"{HEADER} takes entries like 1/gold.sales=12.0a1b2c3d, separated by commas."
            )
        found[int(told[1]), told[2]] = Named(int(told[3]), told[4])
    return found


def of_page(versions: Versions, named: Mapping[str, Named]) -> dict[str, Version | Replaced]:
    """The versions that a page's requests read: those it names, and the newest of the other tables.

    Names of tables that are not known are ignored.
    """
    found: dict[str, Version | Replaced] = dict(versions)
    for table, wanted in named.items():
        known = versions.get(table)
        if known is None:
            continue
        replaced = wanted.id != known.id or wanted.number > known.number
        found[table] = Replaced(table) if replaced else Version(wanted.number, known.table, known.committed)
    return found


def newest(versions: Iterable[Version]) -> float | None:
    """When the newest of some versions was committed."""
    return max((version.committed for version in versions), default=None)
