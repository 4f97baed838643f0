"""What a changed row makes a table read: that row, the rows of its key, or everything."""

from __future__ import annotations

from collections.abc import Iterator

from goldsmith.project.tables import Table


def unconfined(table: Table) -> Iterator[tuple[str, str]]:
    """Why a change of an upstream may make a load read everything: pairs of a reason and what to do about it."""
    if not table.load.incremental:
        yield f"`{table.load.kind}` computes the whole table", "Use `merge` or `overwrite_partitions`."
        return
    for name in table.upstreams:
        if name not in table.drivers and table.spec.lookups.get(name) != "as_loaded":
            yield f"a change of the lookup {name} rebuilds it", f"Declare `lookups: {{{name}: as_loaded}}`."
    for name in sorted(table.deciding_references):
        yield (
            f"a change of {name} rebuilds it, because an expectation drops or quarantines rows by it",
            "Set `otherwise: warn` or `fail` for that expectation.",
        )
    if table.analysis is not None:
        for reason in table.load.unconfined(table.analysis, table.drivers, table.loaded_lookups):
            yield reason, "Write the query so that the columns of the load are columns of the driving table."


def reads(table: Table) -> str:
    """What a changed row of the source or of a driving upstream makes the table read."""
    if table.origin:
        return "its file"
    if not table.load.incremental:
        return "the whole table"
    every = [reason for reason, _ in unconfined(table)]
    return table.load.confined_to + (f"; the whole table: {'; '.join(every)}" if every else "")
