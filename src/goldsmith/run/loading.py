"""The run protocol of one table: it is planned and loaded until it is up to date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pyspark.sql import SparkSession

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.failures import explained, is_bad_value, is_conflict, is_history_gone
from goldsmith.engine.launch.session import sized
from goldsmith.errors import GoldsmithError, RunError, Where
from goldsmith.project.tables import Table
from goldsmith.run.attempt import attempt
from goldsmith.run.context import Run
from goldsmith.run.describing import describe
from goldsmith.run.loads import load_of
from goldsmith.run.plan import (
    Changes,
    Nothing,
    files_of,
)
from goldsmith.run.planning import plan_table
from goldsmith.run.recovery import recover
from goldsmith.run.slices import TooMuchTouched

ATTEMPTS = 10
"""How often a load is planned again because another writer committed first."""


@dataclass(frozen=True)
class Loaded:
    """What a table's loads did. reason: the first plan's. counter: of the table's last commit."""

    reason: str
    commits: tuple[CommitMetadata, ...] = ()
    versions: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    counter: int = 0
    table_id: str = ""


def load_table(spark: SparkSession, run: Run, table: Table) -> Loaded:
    """Brings a table up to date with its sources as they are now; does nothing where it is.

    Several drivers are applied one after the other, a commit each. Raises GoldsmithError: GateStopped for a
    gate, others for failures; in each case the table is as it was.
    """
    done = Loaded("")
    attempts = 0
    force_full: str | None = None
    while True:
        plan = plan_table(spark, run, table, force_full=force_full)
        done = replace(done, reason=done.reason or plan.reason)
        done = replace(done, warnings=(*done.warnings, *plan.warnings))
        settled = recover(run, plan.handle)
        if isinstance(plan, Nothing):
            if plan.state.exists:
                describe(spark, run, table, plan.log)
            return replace(done, counter=plan.state.counter, table_id=plan.state.id)
        before = plan.log.types() if plan.state.exists else {}
        try:
            with sized(spark, plan.bytes, run.project.profile(run.profile).spark.conf):
                taken = attempt(spark, run, plan, settled)
        except TooMuchTouched as reason:
            force_full = str(reason)
            continue
        except GoldsmithError:
            raise
        except Exception as error:
            if is_conflict(error):
                taken = None
            elif is_history_gone(error) and isinstance(plan, Changes):
                force_full = f"the history of {plan.driver} is gone"
                done = replace(
                    done, warnings=(*done.warnings, f"the changes of {plan.driver} can no longer be read")
                )
                continue
            elif (
                is_bad_value(error) and isinstance(plan, Changes) and load_of(plan.table).reads_beyond_changes
            ):
                # Keys are sought among all rows of the driver, also those that the query leaves out.
                force_full = (
                    f"the changes of {plan.driver} cannot be confined: {table.name} failed on a value"
                )
                told = (
                    f"{force_full} ({explained(error, table=table.name, path=run.path(table.name)).message})"
                )
                done = replace(done, warnings=(*done.warnings, told))
                continue
            else:
                # What Spark says of a file that was taken away under it depends on the moment.
                run.landing.unchanged(files_of(plan), table=table.name)
                raise explained(error, table=table.name, path=run.path(table.name)) from error
        if taken is None:
            attempts += 1
            if attempts == ATTEMPTS:
                raise RunError(
                    "GS502",
                    f"Other writers of `{table.name}` were faster {ATTEMPTS} times.",
                    where=Where(table=table.name),
                    retryable=True,
                    hint="Run it again when they are done.",
                )
            continue
        done = replace(
            done,
            reason=done.reason + _new_columns(before, plan.log),
            commits=(*done.commits, taken.metadata),
            versions=(*done.versions, taken.version),
        )
        passed_over = taken.version > plan.state.version + 1 and plan.action == "incremental"
        more = isinstance(plan, Changes) and plan.more
        if not more and not passed_over:
            table_id, _ = plan.log.identity()
            describe(spark, run, table, plan.log)
            return replace(done, counter=plan.counter, table_id=table_id)
        # What another program committed in between is found by the next plan.
        force_full = None


def _new_columns(before: Mapping[str, str], log: TableLog) -> str:
    """What a load's reason says of columns that came to a table; before: its columns, none where it is new."""
    new = [name for name in log.types() if name not in before] if before else []
    if not new:
        return ""
    return f"; new {'column' if len(new) == 1 else 'columns'} {', '.join(new)}"
