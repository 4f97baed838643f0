"""The interface of loads: which rows they load, what they measure, and how they commit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar, Generic, TypeVar

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from goldsmith.engine.delta.changes import ChangeSet, read_changes
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.delta.writing import Target, create_clustered, overwrite
from goldsmith.engine.ingest.shape import cast_or_null
from goldsmith.project.loads.base import DeclaredLoad
from goldsmith.project.strict_model import Names
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.counting import Measured
from goldsmith.run.plan import Changes, CommitPlan
from goldsmith.run.slices import Slice, types_of

Declared = TypeVar("Declared", bound=DeclaredLoad)


class LoadStrategy(ABC, Generic[Declared]):
    """The strategy of one kind of load. declared: the table's declaration of it."""

    can_release: ClassVar[bool] = False
    """True if quarantined rows can be released."""

    no_release: ClassVar[str] = "every load re-evaluates all rows"
    """The reason why they cannot be released."""

    reads_beyond_changes: ClassVar[bool] = False
    """True if an incremental load evaluates expressions over unchanged rows."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared

    @abstractmethod
    def incremental_rows(
        self, spark: SparkSession, run: Run, plan: Changes, pinned: Mapping[str, DataFrame]
    ) -> Slice:
        """The rows of an incremental load. pinned: the upstreams at their planned versions. Raises NeedsFullLoad."""

    def violations(self) -> tuple[str, ...]:
        """SQL, each array<string>: violations of a row beyond the table's expectations."""
        return ()

    @property
    def counted_key(self) -> Names:
        """The columns of the kept rows whose distinct values `write` needs to count."""
        return ()

    def measures(self, kept: StructType) -> Mapping[str, str]:  # noqa: ARG002 - as above
        """SQL aggregates over the kept rows that `write` needs, by name."""
        return {}

    @abstractmethod
    def write(
        self,
        spark: SparkSession,
        target: Target,
        plan: CommitPlan,
        slice_: Slice,
        kept: DataFrame,
        measured: Measured,
        metadata: CommitMetadata,
    ) -> None:
        """Writes the kept rows in one commit."""


def slice_of_changes(
    spark: SparkSession, run: Run, plan: Changes, slice_of: Callable[[ChangeSet, int | None], Slice]
) -> Slice:
    """A slice of the driver's changes.

    slice_of: called with them, and with the number of added rows if the query is one-to-one.
    """
    table = plan.table
    changes = read_changes(spark, run.path(plan.driver), plan.span)
    one_to_one = table.analysis is not None and table.analysis.one_to_one_in(plan.driver)
    try:
        slice_ = slice_of(changes, changes.added_rows if one_to_one else None)
    except Exception:
        for frame in changes.cached:
            frame.unpersist()
        raise
    return replace(slice_, persisted=(*slice_.persisted, *changes.cached))


def replace_all(spark: SparkSession, target: Target, rows: DataFrame, metadata: CommitMetadata) -> None:
    """Replaces the whole table by the rows."""
    overwrite(create_clustered(spark, target, rows), rows, metadata)


def as_declared(table: Table, rows: DataFrame, traced: str, name: str) -> str:
    """A traced expression over the driver's rows, cast to the declared type of its column."""
    wanted = {column.lower(): kind for column, kind in types_of(table).items()}.get(name.lower())
    if wanted is None:
        return traced
    return cast_or_null(f"({traced})", rows.selectExpr(traced).schema[0].dataType, wanted)
