"""Synchronizes the catalog with the tables: locations, columns, comments and properties."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pyspark.sql import SparkSession

from goldsmith.engine.conditions import has_cause
from goldsmith.engine.delta.catalog import KEYS, Catalog, DesiredEntry, Entry, normalized_location
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.session_log import SessionLog
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.engine.failures import explained
from goldsmith.errors import GoldsmithError, NotReady, RunError, Where
from goldsmith.project.ops import OPS_TABLES
from goldsmith.run.context import Run
from goldsmith.run.table_metadata import apply_metadata

DATABASES = {
    "bronze": "Rows as delivered.",
    "silver": "Typed and clean rows, one per key.",
    "gold": "Modelled for analysis.",
    "quarantine": "Quarantined rows with their reasons.",
    "ops": "Goldsmith's records of runs, expectations and files.",
}


@dataclass(frozen=True)
class CatalogChange:
    """A difference between the catalog and a table. problem: as in `was not registered`. repaired: it was fixed."""

    name: str
    problem: str
    repaired: bool = False
    error: GoldsmithError | None = None


def has_catalog(run: Run) -> bool:
    """True if the profile's tables are registered in a metastore."""
    return run.project.profile(run.profile).catalog == "hive"


def prepare(spark: SparkSession, run: Run) -> Catalog:
    """The catalog; creates the databases that tables are registered in. Raises NotReady GS430."""
    return run.shared.get("catalog", lambda: _prepared(spark, run))


def _prepared(spark: SparkSession, run: Run) -> Catalog:
    catalog = Catalog(spark)
    existing = catalog.databases()
    for name in (name for name in DATABASES if name not in existing):
        _create_database(catalog, run, name)
    return catalog


def _create_database(catalog: Catalog, run: Run, name: str) -> None:
    # The metastore deletes the folder of a dropped database: no tables are stored in it.
    catalog.create_database(name, f"{run.warehouse}/_databases/{name}", DATABASES[name])


def register(spark: SparkSession, run: Run, names: Sequence[str]) -> tuple[GoldsmithError, ...]:
    """Registers tables after their load, with their quarantines and `ops`; returns errors.

    One call to the metastore for each layer if nothing changed. The rows are already committed: an error is reported,
    and the next run tries again.
    """
    if not has_catalog(run):
        return ()
    try:
        catalog = prepare(spark, run)
        found = list(
            _changes(spark, catalog, wanted_entries(run, names), repair=True, move=False, look=False)
        )
        return tuple(change.error for change in found if change.error is not None)
    except GoldsmithError as error:
        return (error,)
    except Exception as error:  # noqa: BLE001 - the tables are written; the next run registers them
        return (explained_by_catalog(error, run),)


def sync(spark: SparkSession, run: Run, names: Sequence[str], *, check: bool) -> Iterator[CatalogChange]:
    """Compares the catalog with the tables and repairs it, or only reports differences if `check`.

    An entry with another location is replaced if dropping it keeps the rows. Raises NotReady GS430.
    """
    catalog = Catalog(spark)
    existing = catalog.databases()
    for name in (name for name in DATABASES if name not in existing):
        if not check:
            _create_database(catalog, run, name)
        yield CatalogChange(name, "the database did not exist", repaired=not check)
    for name in names:
        log = TableLog(run.path(name))
        if log.version() != NO_TABLE and apply_metadata(
            spark, run, run.project.tables[name], log, check=check
        ):
            yield CatalogChange(
                name, "had other comments, properties or clustering in its log", repaired=not check
            )
    known = [item for item in wanted_entries(run, names) if not check or _database(item) in existing]
    yield from _changes(spark, catalog, known, repair=not check, move=True, look=True)


def explained_by_catalog(error: Exception, run: Run) -> GoldsmithError:
    """Translates an exception of the metastore's client to a GoldsmithError."""
    if has_cause(error, "TTransportException", "ConnectException"):
        return NotReady(
            "GS430",
            "The connection to the Hive Metastore was lost.",
            hint="Check its log (`make logs S=metastore`), then run again, or run `goldsmith catalog sync`.",
            retryable=True,
        )
    return explained(error, table="the catalog", path=run.warehouse)


def wanted_entries(run: Run, names: Sequence[str]) -> list[DesiredEntry]:
    """The desired entries of the named tables, their quarantines, and `ops`."""
    entries = []
    for name in names:
        table = run.project.tables[name]
        pipeline = run.project.pipelines[table.pipeline]
        declared = {
            "goldsmith.pipeline": table.pipeline,
            "goldsmith.owner": table.spec.owner or pipeline.spec.owner or "",
            "goldsmith.tags": ",".join((*pipeline.spec.tags, *table.spec.tags)),
            **table.spec.properties,
        }
        properties = {key: value for key, value in declared.items() if value}
        entries.append(DesiredEntry(name, run.path(name), table.spec.description, properties))
        quarantine = f"quarantine.{name.replace('.', '_')}"
        entries.append(DesiredEntry(quarantine, run.quarantine_path(name), f"Quarantined rows of {name}."))
    records = ((f"ops.{table.name}", table.description) for table in OPS_TABLES)
    return [*entries, *(DesiredEntry(name, run.path(name), comment) for name, comment in records)]


def _database(wanted: DesiredEntry) -> str:
    return wanted.name.split(".", 1)[0]


def _changes(
    spark: SparkSession,
    catalog: Catalog,
    wanted: Sequence[DesiredEntry],
    *,
    repair: bool,
    move: bool,
    look: bool,
) -> Iterator[CatalogChange]:
    """Compares entries with tables. look: read each table's newest version instead of the cached one."""
    for database, group in groupby(sorted(wanted, key=_database), key=_database):
        tables = list(group)
        existing = catalog.entries(database, [item.name.split(".", 1)[1] for item in tables])
        for item in tables:
            log = SessionLog(spark, item.path)
            there = log.exists(look=look)
            entry = existing.get(item.name.split(".", 1)[1])
            yield from _change(catalog, item, entry, log if there else None, repair=repair, move=move)


def _change(
    catalog: Catalog,
    wanted: DesiredEntry,
    entry: Entry | None,
    log: SessionLog | None,
    *,
    repair: bool,
    move: bool,
) -> Iterator[CatalogChange]:
    if entry is not None and (entry.provider != "delta" or not entry.external):
        yield _other_table(wanted, entry)
        return
    if entry is not None and entry.location != normalized_location(wanted.path):
        if not move:
            yield _other_location(wanted, entry)
            return
        yield CatalogChange(wanted.name, f"was registered at {entry.location}", repaired=repair)
        if not repair:
            return
        catalog.drop_entry(wanted.name)
        entry = None
    if log is None:
        if entry is not None:
            if repair and move:
                catalog.drop_entry(wanted.name)
            yield CatalogChange(
                wanted.name, "is registered, and there is no table at its location", repaired=repair and move
            )
        return
    if entry is None:
        if repair:
            catalog.register(wanted)
            catalog.set_columns(wanted.name, log)
            _set_properties(catalog, wanted, ())
        yield CatalogChange(wanted.name, "was not registered", repaired=repair)
        return
    if catalog.columns_differ(entry, log):
        if repair:
            catalog.set_columns(wanted.name, log)
        yield CatalogChange(wanted.name, "had other columns, types or comments", repaired=repair)
    gone = [key for key in (entry.property(KEYS) or "").split(",") if key and key not in wanted.properties]
    differing = [key for key, value in wanted.properties.items() if entry.property(key) != value]
    if gone or differing or entry.comment != wanted.comment:
        if repair:
            _set_properties(catalog, wanted, gone)
        difference = "another comment" if entry.comment != wanted.comment else "other properties"
        yield CatalogChange(wanted.name, f"had {difference}", repaired=repair)


def _set_properties(catalog: Catalog, wanted: DesiredEntry, gone: Sequence[str]) -> None:
    properties = {**wanted.properties, KEYS: ",".join(sorted(wanted.properties))}
    catalog.set_properties(wanted.name, wanted.comment, properties, gone)


def _other_table(wanted: DesiredEntry, entry: Entry) -> CatalogChange:
    kind = f"a {entry.provider} table" if entry.provider and entry.external else "another table or view"
    if entry.provider == "delta":
        kind = "a managed table, whose rows are dropped with it"
    problem = f"is the name of {kind} in the catalog"
    error = RunError(
        "GS431",
        f"`{wanted.name}` {problem}.",
        where=Where(table=wanted.name, file=entry.location or None),
        hint="Rename or drop it in the catalog, then run `goldsmith catalog sync`.",
    )
    return CatalogChange(wanted.name, problem, error=error)


def _other_location(wanted: DesiredEntry, entry: Entry) -> CatalogChange:
    problem = f"is registered at {entry.location}"
    error = RunError(
        "GS431",
        f"`{wanted.name}` {problem}; this project's table is at {wanted.path}.",
        where=Where(table=wanted.name),
        hint=f"If the table was moved, run `goldsmith catalog sync {wanted.name}`. "
        "If another project shares the metastore, rename its table or this one.",
    )
    return CatalogChange(wanted.name, problem, error=error)
