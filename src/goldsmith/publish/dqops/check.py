"""One check of DQOps, and what is known of the table that it is for."""

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
    """What the mapping knows of a table.

    types: by column name as declared; None where one is not known. never_null: columns without a NULL at rest, in
    small letters. whole: a load takes the whole table. by: the columns whose values a load takes whole.
    """

    types: Mapping[str, str | None]
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
        return cls(
            dict(table.columns or {}), frozenset(held | key), not load.incremental, load.partition_columns
        )

    def column(self, name: object) -> str | None:
        """The column as it is declared, whatever the case it is named in; None where there is none."""
        return next(
            (known for known in self.types if isinstance(name, str) and known.lower() == name.lower()), None
        )

    def sql(self, compiler: Callable[[Expectation, Find], str], expectation: Expectation) -> str | None:
        """An expectation as SQL; None where it judges more than a row, or a column's type is not known or does not fit."""
        if not has_predicate(expectation):
            return None
        try:
            return compiler(expectation, declared_fields(self.types))
        except DeclarationError:
            return None
