"""The kinds of loads: the keys that each declares, and what it requires of the table's query.

`goldsmith.run.loads` implements them. A new kind is a class here, listed in LOADS, and a module there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from goldsmith.project.strict_model import Names, Strict
from goldsmith.project.system_columns import SYSTEM_COLUMNS

if TYPE_CHECKING:
    from goldsmith.project.sql.statement import Analysis


class DeclaredLoad(Strict):
    """Base class of all loads."""

    kind: str

    incremental: ClassVar[bool] = True
    """True if the load applies its upstreams' changes; False if every change recomputes the table."""
    accumulates: ClassVar[bool] = False
    """True if the table keeps rows that its upstreams no longer have, and keys may occur twice."""
    max_drivers: ClassVar[int | None] = None
    """The greatest number of driving upstreams; None for any number."""

    @property
    def columns(self) -> Mapping[str, Names]:
        """The columns that identify or order rows, by their key in YAML."""
        return {}

    @property
    def named(self) -> Names:
        """All columns that its keys name."""
        return tuple(name for names in self.columns.values() for name in names)

    @property
    def compared(self) -> Names:
        """Those of the named columns whose values are compared by `=` or ordered, which maps and variants cannot be."""
        return self.named

    @property
    def conditions(self) -> Mapping[str, str]:
        """Conditions on a row, by their key in YAML."""
        return {}

    @property
    def row_key(self) -> Names:
        """Columns that are unique together and never NULL; () if the load does not guarantee any."""
        return ()

    @property
    def added_columns(self) -> Mapping[str, str | None]:
        """The columns that the load adds to those of the rows, with their types (None: that of a column)."""
        return {}

    @property
    def partition_columns(self) -> Names:
        """The columns whose values select the rows that an incremental load replaces; () for other loads."""
        return ()

    def match_case(self, known: Mapping[str, str]) -> Self:
        """The load with its column names in the case of `known`, which maps lower-case names to names."""
        spelt = {
            key: tuple(known.get(name.lower(), name) for name in names) for key, names in self.columns.items()
        }
        return self.model_copy(update=spelt) if spelt else self

    def refusal(self, analysis: Analysis, driver: str) -> str | None:  # noqa: ARG002 - for subclasses
        """Why this load cannot compute the query from a driver's changes alone; None if it can."""
        return None

    def unconfined(self, analysis: Analysis, drivers: Iterable[str]) -> Iterator[str]:  # noqa: ARG002 - as above
        """The reasons why a change of a driver may recompute the whole table."""
        yield from ()

    def notes(self, analysis: Analysis, drivers: Iterable[str]) -> Iterator[str]:
        """Notes that `goldsmith check` prints: valid declarations with a consequence worth knowing."""
        yield from self.unconfined(analysis, drivers)

    @property
    def confined_to(self) -> str:
        """The rows that a changed row of a driver makes a load read, if they can be confined."""
        return "that row"

    def summary(self) -> str:
        """The load on one line: `merge on id; newest by version`."""
        return self.kind


class Append(DeclaredLoad):
    """Appends the rows of the change set."""

    kind: Literal["append"] = "append"
    accumulates: ClassVar[bool] = True

    def refusal(self, analysis: Analysis, driver: str) -> str | None:
        return analysis.linear_in(driver)


class Keyed(DeclaredLoad):
    """Base class of loads that find the rows of the table by a key."""

    key: Names = Field(description="The columns that identify a row.", min_length=1)

    @property
    def conditions(self) -> Mapping[str, str]:
        condition = self.deletes
        return {} if condition is None else {"delete_when": condition}

    @property
    def deletes(self) -> str | None:
        """The condition on a row that deletes its key; None without one."""
        return None

    def refusal(self, analysis: Analysis, driver: str) -> str | None:
        return analysis.linear_in(driver)

    def unconfined(self, analysis: Analysis, drivers: Iterable[str]) -> Iterator[str]:
        for driver in drivers:
            untraced = [name for name in self.key if analysis.traced(driver, name) is None]
            if untraced:
                yield (
                    f"{self.of_driver} {driver} recompute the whole table: the key {', '.join(untraced)} "
                    "cannot be traced to that table alone"
                )

    @property
    def of_driver(self) -> str:
        """The rows of a driver whose keys are recomputed: `rows removed from`."""
        return "rows removed from"

    @property
    def confined_to(self) -> str:
        return f"the rows of its {', '.join(self.key)}"


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

    def notes(self, analysis: Analysis, drivers: Iterable[str]) -> Iterator[str]:
        yield from self.unconfined(analysis, drivers)
        if not self.newest_by:
            yield "no `newest_by`: of several rows with one key, a hash of the row decides which one is kept"

    def summary(self) -> str:
        words = f"merge on {', '.join(self.key)}"
        words += f"; newest by {', '.join(self.newest_by)}" if self.newest_by else ""
        return words + (f"; deleted when {self.delete_when}" if self.delete_when else "")


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

    def unconfined(self, analysis: Analysis, drivers: Iterable[str]) -> Iterator[str]:
        yield from super().unconfined(analysis, drivers)
        if self.missing_means_deleted:
            yield "a removed row or a late snapshot recomputes the whole table: every key depends on every snapshot"

    def summary(self) -> str:
        words = f"history of {', '.join(self.key)} by {', '.join(self.sequence_by)}"
        words += f"; versions of {', '.join(self.track)}" if self.track else ""
        words += f"; deleted when {self.delete_when}" if self.delete_when else ""
        return words + ("; missing keys are deleted" if self.missing_means_deleted else "")


class Overwrite(DeclaredLoad):
    """Replaces the whole table; unchanged content makes no commit."""

    kind: Literal["overwrite"] = "overwrite"
    incremental: ClassVar[bool] = False
    max_drivers: ClassVar[int | None] = 0


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

    def unconfined(self, analysis: Analysis, drivers: Iterable[str]) -> Iterator[str]:
        for driver in drivers:
            reason = analysis.recomputable_by(driver, self.by)
            if reason is not None:
                yield f"every change of {driver} recomputes the whole table: {reason}"

    @property
    def confined_to(self) -> str:
        return f"the rows of its {', '.join(self.by)}"

    def summary(self) -> str:
        return f"overwrite the touched {', '.join(self.by)}"


Load = Annotated[Append | Merge | Scd2 | Overwrite | OverwritePartitions, Field(discriminator="kind")]

LOADS: tuple[type[DeclaredLoad], ...] = (Append, Merge, Scd2, Overwrite, OverwritePartitions)
"""Every kind of load."""

KINDS: tuple[str, ...] = tuple(str(load.model_fields["kind"].default) for load in LOADS)
"""Their names in YAML."""


def tagged(value: object) -> object:
    """Converts YAML's `append` and `{merge: {...}}` to the tagged form of the union. Raises ValueError."""
    if isinstance(value, str):
        return {"kind": value}
    if isinstance(value, dict) and len(value) == 1:
        kind, arguments = next(iter(value.items()))
        if isinstance(arguments, dict):
            return {"kind": kind, **arguments}
        if arguments is None:
            return {"kind": kind}
        raise ValueError(f"`{kind}` takes a mapping, as in `load: {{merge: {{key: [id]}}}}`")
    if isinstance(value, dict) and "kind" not in value and value:
        raise ValueError(f"a table has one load, not {len(value)}: {', '.join(map(str, value))}")
    return value
