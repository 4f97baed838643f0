"""The analysis' list of functions, compared with Spark's registry: a new function must be classified."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession

from goldsmith.project.sql.functions import KNOWN, NON_DETERMINISTIC, TIME_WINDOWS

_SYNTAX = {"try_cast", "charindex", "timestampadd", "timestampdiff"}
"""Syntax that looks like a call and is no function."""

_WORDS = {"case"}
"""Functions with their own syntax."""


def test_every_function_of_spark_is_listed(spark: SparkSession) -> None:
    names = {row[0] for row in spark.sql("SHOW FUNCTIONS").collect()}
    assert {name for name in names if name[0].isalpha()} - _WORDS == KNOWN - _SYNTAX


def test_non_deterministic_functions_of_spark_are_refused(spark: SparkSession) -> None:
    """Functions whose class is nondeterministic, or that only a session can evaluate."""
    jvm: Any = spark._jvm
    catalog = spark._jsparkSession.sessionState().catalog()
    loader = jvm.Thread.currentThread().getContextClassLoader()
    identifier = jvm.org.apache.spark.sql.catalyst.FunctionIdentifier
    marker = jvm.java.lang.Class.forName(
        "org.apache.spark.sql.catalyst.expressions.Nondeterministic", False, loader
    )
    replaced = jvm.java.lang.Class.forName(
        "org.apache.spark.sql.catalyst.expressions.Unevaluable", False, loader
    )
    windows = {"lag", "lead", "grouping", "grouping_id", *TIME_WINDOWS}
    for name in sorted(KNOWN - _SYNTAX - NON_DETERMINISTIC):
        found = jvm.java.lang.Class.forName(
            catalog.lookupFunctionInfo(identifier(name)).getClassName(), False, loader
        )
        assert not marker.isAssignableFrom(found), name
        assert name in windows or not replaced.isAssignableFrom(found), name
