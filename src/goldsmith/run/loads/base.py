"""What every load does: it says how changes reach the table, what it measures, and how it commits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar, Generic, TypeVar

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from goldsmith.engine.delta.changes import ChangeSet, Span, read_changes
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.delta.writing import Target, make_clustered, overwrite
from goldsmith.engine.ingest.shape import cast_or_null
from goldsmith.project.loads import DeclaredLoad
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.counting import Measured
from goldsmith.run.plan import Changes, CommitPlan
from goldsmith.run.slices import Slice, types_of

Declared = TypeVar("Declared", bound=DeclaredLoad)


class LoadStrategy(ABC, Generic[Declared]):
    """How one kind of load does its work. declared: what the table says of it."""

    releases: ClassVar[bool] = False
    """True if quarantined rows can enter the table by themselves; else every load judges all of them again."""

    reads_beyond_changes: ClassVar[bool] = False
    """True if an incremental load evaluates expressions over rows that did not change."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared

    def unconfined(self, table: Table, driver: str) -> str | None:  # noqa: ARG002 - for those that ask
        """Why a driver's changes concern the whole table; None if they do not."""
        return None

    def reason(self, table: Table, driver: str, span: Span) -> str:  # noqa: ARG002 - as above
        """Why there is an incremental load."""
        return f"{driver} changed" if span.removed else f"{driver} has new rows"

    @abstractmethod
    def changed(self, spark: SparkSession, run: Run, plan: Changes, pinned: Mapping[str, DataFrame]) -> Slice:
        """The rows of an incremental load. pinned: the upstreams at their planned versions. Raises TooMuchTouched."""

    def violations(self) -> tuple[str, ...]:
        """SQL, each array<string>: what a row violates beside the table's expectations."""
        return ()

    def measures(self, kept: StructType) -> Mapping[str, str]:  # noqa: ARG002 - as above
        """SQL aggregates over the rows that are kept, which `write` needs."""
        return {}

    @abstractmethod
    def write(
        self,
        spark: SparkSession,
        target: Target,
        plan: CommitPlan,
        piece: Slice,
        kept: DataFrame,
        measured: Measured,
        metadata: CommitMetadata,
    ) -> None:
        """Commits the kept rows, in one commit."""


def of_changes(
    spark: SparkSession, run: Run, plan: Changes, slice_of: Callable[[ChangeSet, int | None], Slice]
) -> Slice:
    """A slice of the driver's changes. slice_of: gets them, and how many rows the query makes of the added ones where
    it is one-to-one."""
    table = plan.table
    changes = read_changes(spark, run.path(plan.driver), plan.span)
    one_to_one = table.analysis is not None and table.analysis.one_to_one_in(plan.driver)
    try:
        piece = slice_of(changes, changes.added_rows if one_to_one else None)
    except Exception:
        for frame in changes.cached:
            frame.unpersist()
        raise
    return replace(piece, persisted=(*piece.persisted, *changes.cached))


def replace_all(spark: SparkSession, target: Target, rows: DataFrame, metadata: CommitMetadata) -> None:
    """Commits the rows in place of all that the table holds."""
    overwrite(make_clustered(spark, target, rows), rows, metadata)


def as_declared(table: Table, rows: DataFrame, traced: str, name: str) -> str:
    """A traced expression over the driver's rows, with the type and the NULLs that shaping gives its column."""
    wanted = {column.lower(): kind for column, kind in types_of(table).items()}.get(name.lower())
    if wanted is None:
        return traced
    return cast_or_null(f"({traced})", rows.selectExpr(traced).schema[0].dataType, wanted)
