"""Checks at the end of a case: each table is compared with a rebuild from its current upstreams."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from differential.delta_table import DeltaTable, Rows, difference, entries
from differential.failing import Failed
from differential.machine import Machine
from goldsmith.errors import GoldsmithError
from goldsmith.project.sources import ExtractSource
from goldsmith.project.system_columns import SOURCE_FILE, SYSTEM_COLUMNS
from goldsmith.project.tables import Table
from goldsmith.run.context import Accepted, Run
from goldsmith.run.table_loading import load_table

COUNTED = 8
"""One of so many seeds also counts the rows of its queries."""

REMEDIES = {"GS404": "rebuild", "GS405": "rebuild"}
"""Actions of errors' hints, which the last run applies."""


def finish(machine: Machine) -> None:
    """Runs until everything is loaded, then compares. Raises Failed for a broken promise."""
    errors = _bring_up_to_date(machine)
    _idle(machine, errors)
    for table in machine.project.tables.values():
        if table.query is not None:
            _as_rebuilt(machine, table, errors)
        elif table.by_interval:
            _one_load_per_day(machine, table)


def _gates(machine: Machine) -> frozenset[str]:
    """All expectations that may stop a load. The last run and each rebuild accept them."""
    return frozenset(
        f"{table.name}.{rule.name}"
        for table in machine.project.tables.values()
        for rule in table.spec.expectations
        if rule.otherwise == "fail"
    )


def _bring_up_to_date(machine: Machine) -> dict[str, GoldsmithError]:
    """Runs until no hint is left to apply: a rebuild may need one of a table above it. Returns the remaining errors."""
    machine.run(accept=_gates(machine))
    for _ in machine.project.tables:
        again = [name for name, error in machine.errors.items() if REMEDIES.get(error.code)]
        if not again:
            break
        machine.seen.add("rebuilt by the hint")
        machine.run(rebuild=again, accept=_gates(machine))
        if any(isinstance(machine.project.tables[name].spec.source, ExtractSource) for name in again):
            # A rebuild reads the files of earlier runs, and does not ask for new ones.
            machine.run(accept=_gates(machine))
    return dict(machine.errors)


def _versions(machine: Machine) -> dict[str, int]:
    run = machine.begin()
    return {name: DeltaTable(run.path(name)).version for name in machine.project.tables}


def _idle(machine: Machine, errors: dict[str, GoldsmithError]) -> None:
    """Checks that a further run does nothing."""
    before = _versions(machine)
    done = machine.run(
        [name for name in machine.project.tables if name not in errors], accept=_gates(machine)
    )
    after = _versions(machine)
    for name, loaded in done.items():
        if loaded.commits or before[name] != after[name]:
            raise Failed("not idle", name, f"a further run commits: {loaded.reason}")


def _one_load_per_day(machine: Machine, table: Table) -> None:
    """Checks that the rows of a day, in the table and in its quarantine, are all of one load."""
    run = machine.begin()
    current = DeltaTable(run.path(table.name))
    if not current.exists:
        return
    loads: dict[str, set[str]] = {}
    sources = [row[current.names().index(SOURCE_FILE)] for row in current.rows()]
    sources += [
        json.loads(entry["row"])[SOURCE_FILE]
        for entry in entries(DeltaTable(run.quarantine_path(table.name)))
    ]
    for source in sources:
        _, _, load, day, *_ = source.split("/")
        loads.setdefault(day, set()).add(load)
    for day, found in loads.items():
        if len(found) > 1:
            raise Failed("rows", table.name, f"{day} has rows of several loads: {sorted(found)}")


def _as_rebuilt(machine: Machine, table: Table, errors: dict[str, GoldsmithError]) -> None:
    """Compares a table with a first load from the same upstreams."""
    name, run = table.name, machine.begin(accepted=Accepted(_gates(machine), "tester", "a test"))
    if _is_exempt(table) or name in machine.noted or (name in errors and errors[name].message == "skipped"):
        machine.seen.add("not compared")
        return
    current = DeltaTable(run.path(name))
    if name not in errors and _computed_whole(machine, run, table, current):
        machine.seen.add("computed whole")
        return
    machine.seen.add(f"compared {table.load.kind}")
    fresh = _fresh(machine, run, name)
    try:
        loaded = load_table(machine.spark, fresh, table)
    except GoldsmithError as error:
        if name not in errors:
            raise Failed(
                "only incremental", name, f"a rebuild fails: {error.code} {error.message}"
            ) from error
        return
    except Exception as error:
        raise Failed("raw", name, f"rebuild: {type(error).__name__}: {error}") from error
    if name in errors:
        raise Failed(
            "stuck", name, f"{errors[name].code} {errors[name].message}; a rebuild loads it"
        ) from errors[name]
    if machine.case.seed % COUNTED == 0:
        rows_in, rows = loaded.commits[0].counts.rows_in, machine.query(name).count()
        if rows_in != rows:
            raise Failed("counts", name, f"a rebuild says {rows_in} rows in, and the query gives {rows}")
    rebuilt = DeltaTable(fresh.path(name))
    if current.types() != rebuilt.types():
        raise Failed("types", name, f"{current.types()} here, {rebuilt.types()} rebuilt")
    if detail := difference(current.rows(), rebuilt.rows()):
        raise Failed("rows", name, detail)
    if detail := difference(_entries(run, name), _entries(fresh, name)):
        raise Failed("quarantine", name, detail)


def _is_exempt(table: Table) -> bool:
    """Whether the declaration excludes the table from the promise."""
    return "as_loaded" in table.spec.lookups.values() or table.spec.on_removed == "ignore"


def _computed_whole(machine: Machine, run: Run, table: Table, current: DeltaTable) -> bool:
    """Whether the last commit was a full load from the current upstreams, as a rebuild would be."""
    last = current.commits[-1] if current.commits else None
    if last is None or last.metadata.get("mode") not in ("first", "full", "rebuild") or not last.changes_data:
        return False
    consumed = last.metadata["consumed"]
    return all(consumed[name]["version"] == DeltaTable(run.path(name)).version for name in consumed)


def _fresh(machine: Machine, run: Run, name: str) -> Run:
    """A run in a warehouse with all current tables except this one."""
    warehouse = machine.root / ".rebuilt" / name
    shutil.rmtree(warehouse, ignore_errors=True)
    for other in machine.project.tables:
        source = Path(run.path(other))
        if other == name or not source.exists():
            continue
        link = warehouse / other.replace(".", "/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(source)
    warehouse.mkdir(parents=True, exist_ok=True)
    return replace(run, warehouse=str(warehouse))


def _entries(run: Run, name: str) -> Rows:
    """Quarantined rows with their reasons, without values that differ between runs."""
    quarantine = DeltaTable(run.quarantine_path(name))
    rules = run.project.tables[name].spec.expectations
    warn = frozenset(rule.name for rule in rules if rule.otherwise == "warn")
    return Counter(_entry(record, warn) for record in entries(quarantine)) if quarantine.exists else Counter()


def _entry(record: dict[str, Any], warn: Collection[str]) -> tuple[Any, ...]:
    """The common part of two entries of one row. warn: rules that a release does not evaluate again."""
    reasons = tuple(sorted(name for name in record["reasons"] if name not in warn))
    if record.get("entered_as") is None:
        return reasons, _without_run(record["row"])
    values = sorted((name, repr(value)) for name, value in record["entered"] or () if value is not None)
    return reasons, record["entered_as"], tuple(values)


def _without_run(row: str) -> str:
    """A row as JSON, without values that differ between runs."""
    values = json.loads(row)
    return json.dumps({name: values[name] for name in sorted(values) if name not in SYSTEM_COLUMNS})
