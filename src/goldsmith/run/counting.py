"""Counts the judged rows of a slice, and computes the measures that its load needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql.types import StructType

from goldsmith.quality.judge import Counts, Judged, Verdict, evaluate


@dataclass(frozen=True)
class Measured:
    """Measures of the kept rows. keys: the number of distinct row keys. values: the load's measures by name."""

    rows: int
    keys: int
    values: Mapping[str, Any]
    schema: StructType


def measured(
    judged: Judged, measures: Mapping[str, str], row_key: Sequence[str], kept: StructType
) -> tuple[Measured, Counts, tuple[Verdict, ...]]:
    """Measures, counts and verdicts of judged rows, in one Spark job. kept: the columns of the kept rows."""
    evaluated = evaluate(judged, dict(measures), keys=tuple(row_key))
    counts = evaluated.counts
    return Measured(counts.kept, evaluated.keys, evaluated.also, kept), counts, evaluated.verdicts
