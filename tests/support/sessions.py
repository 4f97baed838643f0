"""Settings of the tests' Spark sessions."""

from __future__ import annotations

INTERPRETED: dict[str, str | int | float | bool] = {
    "spark.sql.codegen.wholeStage": False,
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
"""Spark would compile a class for nearly every expression of a test, which takes longer than its few rows.

Tests of commands, of the cluster and of `make faults` compile them, as for users.
"""
