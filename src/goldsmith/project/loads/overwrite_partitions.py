"""The load `overwrite_partitions`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from goldsmith.project.loads.base import DeclaredLoad
from goldsmith.project.strict_model import Names

if TYPE_CHECKING:
    from goldsmith.project.sql.statement import Analysis


class OverwritePartitions(DeclaredLoad):
    """Replaces the rows of those values of `by` that the changes touch."""

    kind: Literal["overwrite_partitions"] = "overwrite_partitions"
    by: Names = Field(
        description="The columns whose touched values are recomputed and replaced.", min_length=1
    )
    max_drivers: ClassVar[int | None] = 1

    @property
    def columns(self) -> Mapping[str, Names]:
        return {"by": self.by}

    @property
    def partition_columns(self) -> Names:
        return self.by

    def full_load_reason(self, analysis: Analysis | None, driver: str) -> str | None:
        if analysis is None:
            return "its code is not SQL"
        return analysis.recomputable_by(driver, self.by)

    def unconfined(
        self,
        analysis: Analysis,
        drivers: Iterable[str],
        lookups: Collection[str],  # noqa: ARG002 - they decide no value of `by`
    ) -> Iterator[str]:
        for driver in drivers:
            reason = analysis.recomputable_by(driver, self.by)
            if reason is not None:
                yield f"every change of {driver} recomputes the whole table: {reason}"

    @property
    def confined_to(self) -> str:
        return f"the rows of its {', '.join(self.by)}"

    def summary(self) -> str:
        return f"overwrite the touched {', '.join(self.by)}"
