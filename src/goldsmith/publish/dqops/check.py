"""A DQOps check, and the properties of its table that the mapping needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from goldsmith.errors import DeclarationError
from goldsmith.project.expectations import Expectation
from goldsmith.project.tables import Table
from goldsmith.quality.fields import Find, declared_fields
from goldsmith.quality.predicates import has_predicate

Rule = Literal["warning", "error"]


@dataclass(frozen=True)
class Check:
    """A daily monitoring check. column: None for a check on the table. rules: thresholds by severity.

    expectations: names of the expectations that it represents; empty for other monitoring. grouping: the data grouping
    whose groups are its series.
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
    def key(self) -> tuple[str | None, str]:
        """Column and kind. A table's file has at most one check per key."""
        return self.column, self.name

    @property
    def document(self) -> dict[str, Any]:
        """The check as in the table's YAML."""
        comments = [{"comment_by": "goldsmith", "comment": comment} for comment in self.comments]
        return {
            **({"comments": comments} if comments else {}),
            **({"parameters": dict(self.parameters)} if self.parameters else {}),
            **({"data_grouping": self.grouping} if self.grouping else {}),
            **{severity: dict(thresholds) for severity, thresholds in self.rules.items()},
        }


@dataclass(frozen=True)
class Subject:
    """The properties of a table that the mapping needs.

    types: declared types by column name; None if not declared. never_null: columns without NULL in the stored table,
    in lower case. whole: a load's batch is the whole table. by: columns whose values a load recomputes completely.
    """

    types: Mapping[str, str | None]
    never_null: frozenset[str]
    whole: bool
    by: tuple[str, ...]

    @classmethod
    def of(cls, table: Table) -> Subject:
        load = table.load
        not_null = {
            str(e.arguments["column"]).lower()
            for e in table.spec.expectations
            if e.kind == "expect_column_values_to_not_be_null"
            and e.otherwise != "warn"
            and "mostly" not in e.arguments
        }
        key = {name.lower() for name in load.row_key}
        return cls(
            dict(table.columns or {}), frozenset(not_null | key), not load.incremental, load.partition_columns
        )

    def column(self, name: object) -> str | None:
        """The declared spelling of a column, found case-insensitively; None if there is no such column."""
        return next(
            (known for known in self.types if isinstance(name, str) and known.lower() == name.lower()), None
        )

    def sql(self, compiler: Callable[[Expectation, Find], str], expectation: Expectation) -> str | None:
        """An expectation as SQL; None if it is not on single rows, or a column's type is unknown or does not fit."""
        if not has_predicate(expectation):
            return None
        try:
            return compiler(expectation, declared_fields(self.types))
        except DeclarationError:
            return None
