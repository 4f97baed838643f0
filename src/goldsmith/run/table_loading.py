"""The run protocol of one table: plans and loads it until it is up to date."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pyspark.sql import SparkSession

from goldsmith.engine.conditions import is_bad_value, is_conflict, is_history_gone
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.failures import explained
from goldsmith.engine.launch.session import sized
from goldsmith.errors import GoldsmithError, RunError, Where
from goldsmith.project.tables import Table
from goldsmith.run.attempt import attempt
from goldsmith.run.column_changes import changed_columns
from goldsmith.run.context import Run
from goldsmith.run.loads import load_of
from goldsmith.run.plan import (
    Changes,
    LoadPlan,
    Nothing,
    Pull,
    files_of,
)
from goldsmith.run.planning import plan_table
from goldsmith.run.recovery import discard_uncommitted, recover
from goldsmith.run.slices import NeedsFullLoad
from goldsmith.run.sources import source_of
from goldsmith.run.table_metadata import apply_if_changed

ATTEMPTS = 10
"""The number of attempts of a load that conflicts with other writers."""


@dataclass(frozen=True)
class Loaded:
    """The loads of one table. reason: that of the first plan. counter: that of the table's last commit."""

    reason: str
    commits: tuple[CommitMetadata, ...] = ()
    versions: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    counter: int = 0
    table_id: str = ""


def load_table(spark: SparkSession, run: Run, table: Table) -> Loaded:
    """Loads a table until it is up to date with its sources.

    Several drivers are applied one after the other, with a commit each. Raises GoldsmithError: GateStopped for a
    gate, others for failures; the failed attempt has not changed the table.
    """
    done = Loaded("")
    attempts = 0
    force_full: str | None = None
    while True:
        plan = plan_table(spark, run, table, force_full=force_full)
        reconciled = recover(run, plan.handle)
        if isinstance(plan, Pull):
            plan = source_of(table).pull(spark, run, plan)
        done = replace(done, reason=done.reason or plan.reason, warnings=(*done.warnings, *plan.warnings))
        if isinstance(plan, Nothing):
            if plan.state.exists:
                apply_if_changed(spark, run, table, plan.log)
            return replace(done, counter=plan.state.counter, table_id=plan.state.id)
        before = plan.log.types() if plan.state.exists else {}
        try:
            with sized(spark, plan.bytes, run.project.profile(run.profile).spark.conf):
                written = attempt(spark, run, plan, reconciled)
        except Exception as error:
            needs_full = _needs_full_load(error, plan)
            if needs_full is not None:
                discard_uncommitted(run, plan.handle, reconciled)
                force_full, *warnings = needs_full
                done = replace(done, warnings=(*done.warnings, *warnings))
                continue
            if isinstance(error, GoldsmithError):
                raise
            if not is_conflict(error):
                # A removed file causes various exceptions in Spark: check the files first.
                run.landing.unchanged(files_of(plan), table=table.name)
                raise explained(error, table=table.name, path=run.path(table.name)) from error
            discard_uncommitted(run, plan.handle, reconciled)
            written = None
        if written is None:
            attempts += 1
            if attempts == ATTEMPTS:
                raise RunError(
                    "GS502",
                    f"Gave up after {ATTEMPTS} conflicts with other writers of `{table.name}`.",
                    where=Where(table=table.name),
                    retryable=True,
                    hint="Run it again when the other writers have finished.",
                )
            continue
        done = replace(
            done,
            reason=done.reason + changed_columns(before, plan.log.types() if before else {}),
            commits=(*done.commits, written.metadata),
            versions=(*done.versions, written.version),
        )
        interleaved = written.version > plan.state.version + 1 and plan.action == "incremental"
        more = isinstance(plan, Changes) and plan.more
        if not more and not interleaved:
            table_id, _ = plan.log.identity()
            apply_if_changed(spark, run, table, plan.log)
            return replace(done, counter=plan.counter, table_id=table_id)
        # The next plan detects what another program committed in between.
        force_full = None


def _needs_full_load(error: Exception, plan: LoadPlan) -> tuple[str, ...] | None:
    """The reason to compute the whole table after an attempt failed, and a warning, if needed; None for other errors."""
    if isinstance(error, NeedsFullLoad):
        return (str(error),)
    if isinstance(error, GoldsmithError) or is_conflict(error) or not isinstance(plan, Changes):
        return None
    if is_history_gone(error):
        return f"the history of {plan.driver} is gone", f"the changes of {plan.driver} can no longer be read"
    if is_bad_value(error) and load_of(plan.table).reads_beyond_changes:
        # Keys are computed for all rows of the driver, also for those that the query filters out.
        table, path = plan.table.name, plan.handle.path
        reason = f"the changes of {plan.driver} cannot be confined: {table} failed on a value"
        return reason, f"{reason} ({explained(error, table=table, path=path).message})"
    return None
