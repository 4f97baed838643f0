"""Checks the connections that sources name against those of the profiles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from goldsmith.errors import DeclarationError
from goldsmith.project.hints import hint_for
from goldsmith.project.pipelines import Project
from goldsmith.project.tables import Table


def connections(project: Project) -> Iterator[DeclarationError]:
    """Connections of no profile, or to another kind of place: GS108 and GS110."""
    declared: dict[str, set[str]] = {}
    for profile in project.spec.profiles.values():
        for name, connection in profile.connections.items():
            declared.setdefault(name, set()).add(connection.url)
    for table in project.tables.values():
        if table.connection is not None:
            yield from _connection(table, *table.connection, declared)


def _connection(
    table: Table, name: str, scheme: str, declared: Mapping[str, Collection[str]]
) -> Iterator[DeclarationError]:
    """A connection of no profile, or to something else. scheme: what its addresses begin with."""
    where = table.where("source")
    if name not in declared:
        yield DeclarationError(
            "GS108",
            f"No profile declares a connection `{name}`.",
            where=where,
            hint=hint_for(name, declared)
            if declared
            else f"Declare it in goldsmith.yaml: `connections: {{{name}: {{url: {scheme}...}}}}`.",
        )
    for url in declared.get(name, ()):
        if not url.startswith(scheme):
            yield DeclarationError(
                "GS110",
                f"The `url` of the connection `{name}` begins with `{scheme}` for this source, and it is {url}.",
                where=where,
                hint="Name another connection, or use `jdbc` for a database and `s3` for a bucket.",
            )
