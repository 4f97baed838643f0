"""Shared code of property tests of loads: an upstream with any changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from support.lake import Lake
from support.model import Row

SEEDS = st.integers(min_value=0, max_value=2**32 - 1)
"""An example takes seconds of Spark. Each is drawn from one seed, which a failure prints."""


class Upstream:
    """A table written outside Goldsmith, so that it can change in every way that Delta allows.

    schema: Spark DDL. It is declared as a bronze table that is never run.
    """

    def __init__(self, lake: Lake, name: str, schema: str) -> None:
        self.lake, self.name, self.schema = lake, name, schema
        self.spark = lake.spark
        columns = dict(part.split() for part in schema.split(", "))
        self.columns = tuple(columns)
        listed = ", ".join(f"{column}: '{kind}'" for column, kind in columns.items())
        lake.declare(name, f"source: {{files: never/*.csv, format: csv}}\ncolumns: {{{listed}}}\n")
        self.path = f"{lake.begin().path(name)}"

    def _write(self, rows: Sequence[Row], mode: str) -> None:
        values = [tuple(row[column] for column in self.columns) for row in rows]
        frame = self.spark.createDataFrame(values, self.schema).coalesce(1)
        frame.write.format("delta").mode(mode).save(self.path)

    def append(self, rows: Sequence[Row]) -> None:
        self._write(rows, "append")

    def overwrite(self, rows: Sequence[Row]) -> None:
        self._write(rows, "overwrite")

    def sql(self, statement: str) -> None:
        """Runs SQL with `{t}` for the table."""
        self.spark.sql(statement.format(t=f"delta.`{self.path}`")).collect()

    def rows(self) -> list[Row]:
        return [row.asDict() for row in self.spark.read.format("delta").load(self.path).collect()]


def held(rows: Sequence[tuple[tuple[str, ...], Row]]) -> list[Any]:
    """Quarantined rows as in JSON: without NULLs, sorted."""
    entries = [
        (reasons, {name: value for name, value in row.items() if value is not None}) for reasons, row in rows
    ]
    return sorted(entries, key=lambda entry: (entry[0], sorted(map(str, entry[1].items()))))
