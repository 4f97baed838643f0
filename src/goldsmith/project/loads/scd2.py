"""The load `scd2`: the history of each key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from goldsmith.project.loads.base import Keyed
from goldsmith.project.strict_model import Names
from goldsmith.project.system_columns import SYSTEM_COLUMNS

if TYPE_CHECKING:
    from goldsmith.project.sql.statement import Analysis


VALID_FROM, VALID_TO, IS_CURRENT = "valid_from", "valid_to", "is_current"


class Scd2(Keyed):
    """Keeps the history of each key: a version for each change of its values."""

    kind: Literal["scd2"] = "scd2"
    sequence_by: Names = Field(
        description="Columns that order the changes of one key. The first one gives `valid_from` and `valid_to`.",
        min_length=1,
    )
    track: Names = Field(
        (),
        description="The columns whose changes make versions. By default all but those of `key`, `sequence_by` and "
        "`delete_when`, and the system columns of bronze tables.",
    )
    delete_when: str | None = Field(
        None, description="A condition on a row; if true, the row ends its key's current version."
    )
    missing_means_deleted: bool = Field(
        False,
        description="Each value of the first `sequence_by` column is a whole snapshot: keys that it lacks are deleted.",
    )

    @property
    def columns(self) -> Mapping[str, Names]:
        return {"key": self.key, "sequence_by": self.sequence_by, "track": self.track}

    @property
    def compared(self) -> Names:
        return (*self.key, *self.sequence_by)

    @property
    def deletes(self) -> str | None:
        return self.delete_when

    @property
    def row_key(self) -> Names:
        return (*self.key, VALID_FROM)

    @property
    def added_columns(self) -> Mapping[str, str | None]:
        return {VALID_FROM: None, VALID_TO: None, IS_CURRENT: "boolean"}

    @property
    def of_driver(self) -> str:
        return "removed and late rows of"

    @model_validator(mode="after")
    def _tracks_values(self) -> Self:
        fixed = {name.lower() for name in (*self.key, *self.sequence_by)}
        wrong = [name for name in self.track if name.lower() in fixed]
        if wrong:
            raise ValueError(f"`track` names `{wrong[0]}`, which `key` or `sequence_by` names already")
        return self

    def tracked(self, columns: Iterable[str], deleting: Iterable[str] = ()) -> Names:
        """Those of the rows' columns whose changes make versions. deleting: the columns that `delete_when` reads."""
        if self.track:
            return self.track
        others = {name.lower() for name in (*self.key, *self.sequence_by, *SYSTEM_COLUMNS, *deleting)}
        return tuple(name for name in columns if name.lower() not in others)

    def unconfined(
        self, analysis: Analysis, drivers: Iterable[str], lookups: Collection[str]
    ) -> Iterator[str]:
        yield from super().unconfined(analysis, drivers, lookups)
        if self.missing_means_deleted:
            yield "a removed row or a late snapshot recomputes the whole table: every key depends on every snapshot"

    def summary(self) -> str:
        words = f"history of {', '.join(self.key)} by {', '.join(self.sequence_by)}"
        words += f"; versions of {', '.join(self.track)}" if self.track else ""
        words += f"; deleted when {self.delete_when}" if self.delete_when else ""
        return words + ("; missing keys are deleted" if self.missing_means_deleted else "")
