"""The load `merge`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from goldsmith.project.loads.base import Keyed
from goldsmith.project.strict_model import Names

if TYPE_CHECKING:
    from goldsmith.project.sql.statement import Analysis


class Merge(Keyed):
    """Upserts by key; the newest row of each key survives."""

    kind: Literal["merge"] = "merge"
    newest_by: Names = Field(
        (), description="Columns that order the rows of one key. The greatest survives; NULL is the least."
    )
    delete_when: str | None = Field(
        None, description="A condition on the newest row of a key; if true, the key is deleted."
    )

    @property
    def columns(self) -> Mapping[str, Names]:
        return {"key": self.key, "newest_by": self.newest_by}

    @property
    def deletes(self) -> str | None:
        return self.delete_when

    @property
    def row_key(self) -> Names:
        return self.key

    def notes(self, analysis: Analysis, drivers: Iterable[str], lookups: Collection[str]) -> Iterator[str]:
        yield from self.unconfined(analysis, drivers, lookups)
        if not self.newest_by:
            yield "no `newest_by`: of several rows with one key, a hash of the row decides which one is kept"

    def summary(self) -> str:
        words = f"merge on {', '.join(self.key)}"
        words += f"; newest by {', '.join(self.newest_by)}" if self.newest_by else ""
        return words + (f"; deleted when {self.delete_when}" if self.delete_when else "")
