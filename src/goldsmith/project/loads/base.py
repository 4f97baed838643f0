"""What every load declares, and what loads by key do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from goldsmith.project.strict_model import Names, Strict

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

    def full_load_reason(self, analysis: Analysis | None, driver: str) -> str | None:  # noqa: ARG002 - for subclasses
        """The reason why a driver's changes require a full load; None if they do not. analysis: None for Python."""
        return None

    def incremental_reason(self, driver: str, *, removed: bool, refused: bool) -> str:  # noqa: ARG002 - as above
        """The reason of an incremental load. removed: the driver removed rows. refused: the table refuses that."""
        return f"{driver} changed" if removed else f"{driver} has new rows"

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

    def unconfined(
        self,
        analysis: Analysis,  # noqa: ARG002 - as above
        drivers: Iterable[str],  # noqa: ARG002
        lookups: Collection[str],  # noqa: ARG002
    ) -> Iterator[str]:
        """The reasons why a change of a driver may recompute the whole table. lookups: those declared `as_loaded`."""
        yield from ()

    def notes(self, analysis: Analysis, drivers: Iterable[str], lookups: Collection[str]) -> Iterator[str]:
        """Notes that `goldsmith check` prints: valid declarations with a consequence worth knowing."""
        yield from self.unconfined(analysis, drivers, lookups)

    @property
    def confined_to(self) -> str:
        """The rows that a changed row of a driver makes a load read, if they can be confined."""
        return "that row"

    def summary(self) -> str:
        """The load on one line: `merge on id; newest by version`."""
        return self.kind


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

    def unconfined(
        self, analysis: Analysis, drivers: Iterable[str], lookups: Collection[str]
    ) -> Iterator[str]:
        for driver in drivers:
            untraced = [name for name in self.key if analysis.traced(driver, name) is None]
            # One traced column is enough, unless the untraced ones may come from a lookup whose former rows are unknown.
            if len(untraced) == len(self.key) or (untraced and lookups):
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
