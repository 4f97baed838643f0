"""One check of DQOps, and what is known of the table that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from goldsmith.project.tables import Table
from goldsmith.publish.dqops.predicates import Types

Rule = Literal["warning", "error"]


@dataclass(frozen=True)
class Check:
    """One daily monitoring check. column: None for a check on the table. rules: thresholds by severity.

    expectations: those it stands for, by name; none for monitoring that no expectation declares. grouping: the data
    grouping whose groups are its series.
    """

    category: str
    name: str
    rules: Mapping[str, Mapping[str, Any]]
    column: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    expectations: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    grouping: str | None = None

    @property
    def place(self) -> tuple[str | None, str]:
        return self.column, self.name

    @property
    def document(self) -> dict[str, Any]:
        """The check as the table's YAML has it."""
        told = [{"comment_by": "goldsmith", "comment": comment} for comment in self.comments]
        return {
            **({"comments": told} if told else {}),
            **({"parameters": dict(self.parameters)} if self.parameters else {}),
            **({"data_grouping": self.grouping} if self.grouping else {}),
            **{severity: dict(thresholds) for severity, thresholds in self.rules.items()},
        }


@dataclass(frozen=True)
class Subject:
    """What the mapping knows of a table. never_null: columns without a NULL at rest, in small letters.

    whole: a load takes the whole table. by: the columns whose values a load takes whole.
    """

    types: Types
    never_null: frozenset[str]
    whole: bool
    by: tuple[str, ...]

    @classmethod
    def of(cls, table: Table) -> Subject:
        load = table.load
        held = {
            str(e.arguments["column"]).lower()
            for e in table.spec.expectations
            if e.kind == "expect_column_values_to_not_be_null"
            and e.otherwise != "warn"
            and "mostly" not in e.arguments
        }
        key = {name.lower() for name in load.row_key}
        return cls(dict(table.columns or {}), frozenset(held | key), not load.by_changes, load.confined_by)
