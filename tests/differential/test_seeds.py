"""A fixed set of seeds of the differential tester. `make faults` plays 2,000."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from differential.case import Case
from differential.drawing import draw
from differential.running import run_case, session

FIXED, EACH = 12, 4
CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


@pytest.fixture(scope="module")
def single_core_spark() -> Iterator[SparkSession]:
    """A session with one core and the tester's settings, for this module."""
    with session(interpreted=True) as spark:
        yield spark


@pytest.mark.parametrize("first_seed", range(0, FIXED, EACH))
def test_incremental_equals_rebuilt(single_core_spark: SparkSession, first_seed: int) -> None:
    failed = [run_case(single_core_spark, draw(seed)) for seed in range(first_seed, first_seed + EACH)]
    found = [f"seed {result.seed}: {result.failed.short}" for result in failed if result.failed]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_former_failure_passes(single_core_spark: SparkSession, file: Path) -> None:
    result = run_case(single_core_spark, Case.read(file))
    assert result.failed is None, str(result.failed)
