"""Keeps the catalog in step: every table registered at its place, with the columns and words it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pyspark.sql import SparkSession

from goldsmith.engine.delta.catalog import KEYS, Catalog, Entry, Wanted, plain_place
from goldsmith.engine.delta.log import NO_TABLE, TableLog
from goldsmith.engine.failures import explained, has_cause
from goldsmith.errors import GoldsmithError, NotReady, RunError, Where
from goldsmith.project.ops import OPS_TABLES
from goldsmith.run.context import Run
from goldsmith.run.describing import put_right

DATABASES = {
    "bronze": "Rows as they were delivered.",
    "silver": "Typed and clean rows, one for each key.",
    "gold": "Modelled for analysis.",
    "quarantine": "Rows that broke a rule, with their reasons.",
    "ops": "Goldsmith's own records: runs, verdicts, files.",
}


@dataclass(frozen=True)
class Change:
    """What the catalog knows wrongly, and whether it was mended. told: as in `is not registered`."""

    name: str
    told: str
    mended: bool = False
    error: GoldsmithError | None = None


def has_catalog(run: Run) -> bool:
    """True if the profile's tables are known by name outside of a session."""
    return run.project.profile(run.profile).catalog == "hive"


def prepare(spark: SparkSession, run: Run) -> Catalog:
    """The catalog, with the databases that tables are registered in. Raises NotReady GS430."""
    return run.shared.get("catalog", lambda: _prepared(spark, run))


def _prepared(spark: SparkSession, run: Run) -> Catalog:
    catalog = Catalog(spark)
    held = catalog.databases()
    for name in (name for name in DATABASES if name not in held):
        _make_database(catalog, run, name)
    return catalog


def _make_database(catalog: Catalog, run: Run, name: str) -> None:
    # The metastore removes a dropped database's folder with all that is in it: no table of ours is in there.
    catalog.make_database(name, f"{run.warehouse}/_databases/{name}", DATABASES[name])


def register(spark: SparkSession, run: Run, names: Sequence[str]) -> tuple[GoldsmithError, ...]:
    """Registers tables after their load, their quarantines and the records too; returns what went wrong.

    One call to the metastore for each layer where nothing changed. Rows are committed by now: an error here is
    told, and made up for by the next run.
    """
    if not has_catalog(run):
        return ()
    try:
        catalog = prepare(spark, run)
        found = list(_changes(spark, catalog, wanted_entries(run, names), mend=True, move=False, look=False))
        return tuple(change.error for change in found if change.error is not None)
    except GoldsmithError as error:
        return (error,)
    except Exception as error:  # noqa: BLE001 - the tables are written; the next run registers them
        return (explained_by_catalog(error, run),)


def sync(spark: SparkSession, run: Run, names: Sequence[str], *, check: bool) -> Iterator[Change]:
    """Compares the whole catalog with the tables and mends it, or only tells where `check` is set.

    An entry of another place is made anew where dropping it leaves rows alone. Raises NotReady GS430.
    """
    catalog = Catalog(spark)
    held = catalog.databases()
    for name in (name for name in DATABASES if name not in held):
        if not check:
            _make_database(catalog, run, name)
        yield Change(name, "the database is not there", mended=not check)
    for name in names:
        log = TableLog(spark, run.path(name))
        if log.version() != NO_TABLE and put_right(spark, run, run.project.tables[name], log, check=check):
            yield Change(name, "had other words, properties or clustering in its log", mended=not check)
    known = [item for item in wanted_entries(run, names) if not check or _database(item) in held]
    yield from _changes(spark, catalog, known, mend=not check, move=True, look=True)


def explained_by_catalog(error: Exception, run: Run) -> GoldsmithError:
    """What the metastore's client raised, as an error that a person can read."""
    if has_cause(error, "TTransportException", "ConnectException"):
        return NotReady(
            "GS430",
            "The Hive Metastore went away and did not come back in time.",
            hint="See its log (`make logs S=metastore`); then run again, or `goldsmith catalog sync`.",
            retryable=True,
        )
    return explained(error, table="the catalog", path=run.warehouse)


def wanted_entries(run: Run, names: Sequence[str]) -> list[Wanted]:
    """What the catalog is to know of the named tables, of their quarantines, and of the records."""
    entries = []
    for name in names:
        table = run.project.tables[name]
        pipeline = run.project.pipelines[table.pipeline]
        told = {
            "goldsmith.pipeline": table.pipeline,
            "goldsmith.owner": table.spec.owner or pipeline.spec.owner or "",
            "goldsmith.tags": ",".join((*pipeline.spec.tags, *table.spec.tags)),
            **table.spec.properties,
        }
        properties = {key: value for key, value in told.items() if value}
        entries.append(Wanted(name, run.path(name), table.spec.description, properties))
        held = f"quarantine.{name.replace('.', '_')}"
        entries.append(Wanted(held, run.quarantine_path(name), f"Rows of {name} that broke a rule."))
    records = ((f"ops.{table.name}", table.description) for table in OPS_TABLES)
    return [*entries, *(Wanted(name, run.path(name), told) for name, told in records)]


def _database(wanted: Wanted) -> str:
    return wanted.name.split(".", 1)[0]


def _changes(
    spark: SparkSession, catalog: Catalog, wanted: Sequence[Wanted], *, mend: bool, move: bool, look: bool
) -> Iterator[Change]:
    """look: at the storage for each table's newest version; else what was last seen of it stands."""
    for database, group in groupby(sorted(wanted, key=_database), key=_database):
        tables = list(group)
        held = catalog.entries(database, [item.name.split(".", 1)[1] for item in tables])
        for item in tables:
            log = TableLog(spark, item.path)
            there = (log.version() if look else log.last_seen()) != NO_TABLE
            entry = held.get(item.name.split(".", 1)[1])
            yield from _change(catalog, item, entry, log if there else None, mend=mend, move=move)


def _change(
    catalog: Catalog, wanted: Wanted, entry: Entry | None, log: TableLog | None, *, mend: bool, move: bool
) -> Iterator[Change]:
    if entry is not None and (entry.provider != "delta" or not entry.external):
        yield _foreign(wanted, entry)
        return
    if entry is not None and entry.location != plain_place(wanted.path):
        if not move:
            yield _elsewhere(wanted, entry)
            return
        yield Change(wanted.name, f"was registered at {entry.location}", mended=mend)
        if not mend:
            return
        catalog.forget(wanted.name)
        entry = None
    if log is None:
        if entry is not None:
            if mend and move:
                catalog.forget(wanted.name)
            yield Change(wanted.name, "is registered, and its place holds no table", mended=mend and move)
        return
    if entry is None:
        if mend:
            catalog.register(wanted)
            catalog.set_columns(wanted.name, log)
            _set_properties(catalog, wanted, ())
        yield Change(wanted.name, "was not registered", mended=mend)
        return
    if catalog.columns_differ(entry, log):
        if mend:
            catalog.set_columns(wanted.name, log)
        yield Change(wanted.name, "had other columns, types or comments", mended=mend)
    gone = [key for key in (entry.property(KEYS) or "").split(",") if key and key not in wanted.properties]
    differing = [key for key, value in wanted.properties.items() if entry.property(key) != value]
    if gone or differing or entry.comment != wanted.comment:
        if mend:
            _set_properties(catalog, wanted, gone)
        what = "another comment" if entry.comment != wanted.comment else "other properties"
        yield Change(wanted.name, f"had {what}", mended=mend)


def _set_properties(catalog: Catalog, wanted: Wanted, gone: Sequence[str]) -> None:
    told = {**wanted.properties, KEYS: ",".join(sorted(wanted.properties))}
    catalog.set_properties(wanted.name, wanted.comment, told, gone)


def _foreign(wanted: Wanted, entry: Entry) -> Change:
    kind = f"a {entry.provider} table" if entry.provider and entry.external else "a table or view of its own"
    if entry.provider == "delta":
        kind = "a managed table, whose rows are dropped with it"
    told = f"is taken in the catalog by {kind}"
    error = RunError(
        "GS431",
        f"`{wanted.name}` {told}.",
        where=Where(table=wanted.name, file=entry.location or None),
        hint="Rename or drop it there; then `goldsmith catalog sync` registers the table.",
    )
    return Change(wanted.name, told, error=error)


def _elsewhere(wanted: Wanted, entry: Entry) -> Change:
    told = f"is registered at {entry.location}"
    error = RunError(
        "GS431",
        f"`{wanted.name}` {told}, and this project has it at {wanted.path}.",
        where=Where(table=wanted.name),
        hint=f"If the table moved: `goldsmith catalog sync {wanted.name}`. "
        "If another project shares the metastore, one of them needs other names.",
    )
    return Change(wanted.name, told, error=error)
