"""How rows enter a table: what each kind of load declares, and what it requires of the table's query.

What a load does is in `goldsmith.run.loads`. A new kind is a class here, listed in LOADS, and a module there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field

from goldsmith.project.strict import Names, Strict

if TYPE_CHECKING:
    from goldsmith.project.sql.statement import Analysis


class DeclaredLoad(Strict):
    """What all kinds of loads have in common."""

    kind: str

    by_changes: ClassVar[bool] = True
    """True for a load of the upstreams' changes; False where any change recomputes the table."""
    accumulates: ClassVar[bool] = False
    """True where rows stay that left an upstream, and a key may occur twice."""
    most_drivers: ClassVar[int | None] = None
    """How many upstreams may drive it; None for any number."""

    @property
    def columns(self) -> Mapping[str, Names]:
        """The columns by whose values it tells rows apart, by their key in YAML."""
        return {}

    @property
    def named(self) -> Names:
        """The columns of all its keys."""
        return tuple(name for names in self.columns.values() for name in names)

    @property
    def conditions(self) -> Mapping[str, str]:
        """Its conditions on a row, by their key in YAML."""
        return {}

    @property
    def row_key(self) -> Names:
        """The columns that no two rows of the table have alike, and that are never NULL; () where it promises none."""
        return ()

    @property
    def confined_by(self) -> Names:
        """The columns whose values confine what an incremental load replaces; () for loads of other kinds."""
        return ()

    def respelt(self, known: Mapping[str, str]) -> Self:
        """The load with its columns spelt as in `known`, which has them by their names in lower case."""
        spelt = {
            key: tuple(known.get(name.lower(), name) for name in names) for key, names in self.columns.items()
        }
        return self.model_copy(update=spelt) if spelt else self

    def refusal(self, analysis: Analysis, driver: str) -> str | None:  # noqa: ARG002 - for those that ask
        """Why the query's new rows cannot be loaded from a driver's changes; None where they can."""
        return None

    def advice(self, analysis: Analysis, drivers: Iterable[str]) -> Iterator[str]:  # noqa: ARG002 - as above
        """What is allowed and may surprise: sentences that `goldsmith check` prints."""
        yield from ()

    def in_words(self) -> str:
        """The load in a few words: `merge on id; newest by version`."""
        return self.kind


class Append(DeclaredLoad):
    """Adds the change set's rows."""

    kind: Literal["append"] = "append"
    accumulates: ClassVar[bool] = True

    def refusal(self, analysis: Analysis, driver: str) -> str | None:
        return analysis.linear_in(driver)


class Merge(DeclaredLoad):
    """Keeps one row per key: the newest."""

    kind: Literal["merge"] = "merge"
    key: Names = Field(description="The columns that identify a row.", min_length=1)
    newest_by: Names = Field(
        (), description="Columns that order the rows of one key; the greatest survives, a NULL is the least."
    )
    delete_when: str | None = Field(None, description="A condition on the newest row that removes its key.")

    @property
    def columns(self) -> Mapping[str, Names]:
        return {"key": self.key, "newest_by": self.newest_by}

    @property
    def conditions(self) -> Mapping[str, str]:
        return {} if self.delete_when is None else {"delete_when": self.delete_when}

    @property
    def row_key(self) -> Names:
        return self.key

    def refusal(self, analysis: Analysis, driver: str) -> str | None:
        return analysis.linear_in(driver)

    def advice(self, analysis: Analysis, drivers: Iterable[str]) -> Iterator[str]:
        for driver in drivers:
            untraced = [name for name in self.key if analysis.traced(driver, name) is None]
            if untraced:
                yield (
                    f"rows removed from {driver} recompute the whole table: its key {', '.join(untraced)} "
                    "cannot be traced to that table alone"
                )
        if not self.newest_by:
            yield "no `newest_by`: of two rows with one key, a hash of the row decides"

    def in_words(self) -> str:
        words = f"merge on {', '.join(self.key)}"
        words += f"; newest by {', '.join(self.newest_by)}" if self.newest_by else ""
        return words + (f"; deleted when {self.delete_when}" if self.delete_when else "")


class Overwrite(DeclaredLoad):
    """Replaces the whole table; the same content makes no commit."""

    kind: Literal["overwrite"] = "overwrite"
    by_changes: ClassVar[bool] = False
    most_drivers: ClassVar[int | None] = 0


class OverwritePartitions(DeclaredLoad):
    """Recomputes the values of `by` that the changes touch, and no others."""

    kind: Literal["overwrite_partitions"] = "overwrite_partitions"
    by: Names = Field(description="The columns whose touched values are replaced.", min_length=1)
    most_drivers: ClassVar[int | None] = 1

    @property
    def columns(self) -> Mapping[str, Names]:
        return {"by": self.by}

    @property
    def confined_by(self) -> Names:
        return self.by

    def advice(self, analysis: Analysis, drivers: Iterable[str]) -> Iterator[str]:
        for driver in drivers:
            reason = analysis.recomputable_by(driver, self.by)
            if reason is not None:
                yield f"every change of {driver} recomputes the whole table: {reason}"

    def in_words(self) -> str:
        return f"overwrite the touched {', '.join(self.by)}"


Load = Annotated[Append | Merge | Overwrite | OverwritePartitions, Field(discriminator="kind")]

LOADS: tuple[type[DeclaredLoad], ...] = (Append, Merge, Overwrite, OverwritePartitions)
"""Every kind of load."""

KINDS: tuple[str, ...] = tuple(str(load.model_fields["kind"].default) for load in LOADS)
"""The words that YAML has for them."""


def tagged(value: object) -> object:
    """`append` and `{merge: {...}}`, as YAML has them, in the tagged form that the union reads. Raises ValueError."""
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
        raise ValueError(f"a table has one load, and here are {len(value)}: {', '.join(map(str, value))}")
    return value
