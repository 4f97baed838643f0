"""Compiles row expectations that only Great Expectations defines, using its own conditions.

Great Expectations has a metric for each row expectation, `<map metric>.condition`, whose value is a Spark Column
that is true for failing rows. The metric is resolved on an empty frame of the same schema, without reading data;
the Column is then evaluated in one pass with the other expectations. The metric is not documented API: the version
is pinned, and a test checks the contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import Column, DataFrame

from goldsmith.errors import DeclarationError, NotReady
from goldsmith.project.expectations import Expectation
from goldsmith.project.sql.text import quoted
from goldsmith.quality.predicates import skips
from goldsmith.quality.rules import RowRule, rule
from goldsmith.quality.schema import fields_of

_DOMAIN = ("column", "column_A", "column_B", "column_list")


def compile_gx(frame: DataFrame, expectations: Sequence[Expectation]) -> dict[str, RowRule]:
    """Compiles expectations to rules by name.

    Raises NotReady GS903 if great_expectations is not installed; DeclarationError GS203 for an unknown column,
    GS103 if Great Expectations does not have the expectation, rejects its arguments, or needs more than one row
    to evaluate it.
    """
    if not expectations:
        return {}
    try:
        from great_expectations.execution_engine import SparkDFExecutionEngine
    except ImportError as error:
        raise NotReady(
            "GS903",
            f"`{expectations[0].kind}` needs the package great_expectations, which is not installed",
            hint="Install Goldsmith with the extra `gx`.",
        ) from error
    engine = SparkDFExecutionEngine(persist=False)
    engine.load_batch_data("schema", frame.limit(0))
    rules: dict[str, RowRule] = {}
    for item in expectations:
        skipped = skips(item, fields_of(frame.schema))
        name = f"_gs_bad_{item.name}"
        rules[item.name] = rule(
            skipped, f"NOT {quoted(name)}", item.ignore_nulls, gx_column=(name, _bad_row(engine, item))
        )
    return rules


def _bad_row(engine: Any, expectation: Expectation) -> Column:
    from great_expectations.expectations.registry import get_metric_provider
    from great_expectations.validator.metric_configuration import MetricConfiguration
    from great_expectations.validator.metrics_calculator import MetricsCalculator

    implementation = _implementation(expectation)
    name = f"{implementation.map_metric}.condition"
    try:
        provider, condition = get_metric_provider(name, engine)
    except Exception as error:
        raise _unsupported(expectation, "Great Expectations does not support it on Spark") from error
    domain = {key: expectation.arguments[key] for key in _DOMAIN if key in expectation.arguments}
    values = {key: getattr(implementation, key, None) for key in provider.condition_value_keys}
    metric = MetricConfiguration(name, metric_domain_kwargs=domain, metric_value_kwargs=values or None)
    calculator = MetricsCalculator(execution_engine=engine, show_progress_bars=False)
    _require_single_rows(calculator, metric, condition, expectation)
    resolved, aborted = calculator.compute_metrics([metric])
    if aborted:
        raise _unsupported(expectation, _first_reason(aborted))
    bad: Column = resolved[metric.id][0]
    return bad


def _implementation(expectation: Expectation) -> Any:
    """Great Expectations' object for the expectation; it validates the arguments."""
    from great_expectations.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.registry import get_expectation_impl

    try:
        made = get_expectation_impl(expectation.kind)(**expectation.arguments)
    except ExpectationNotFoundError as error:
        raise _unsupported(expectation, "Great Expectations has no such expectation") from error
    except ValueError as error:
        raise _unsupported(expectation, " ".join(str(error).split())) from error
    if getattr(made, "map_metric", None) is None:
        raise _unsupported(expectation, "it does not apply to rows")
    return made


def _require_single_rows(calculator: Any, metric: Any, condition: Any, expectation: Expectation) -> None:
    """Rejects conditions with a window or an aggregate of the column, which depend on other rows."""
    from great_expectations.core.metric_function_types import MetricPartialFunctionTypes

    if condition.metric_fn_type is not MetricPartialFunctionTypes.MAP_CONDITION_FN:
        raise _unsupported(expectation, "it compares rows with each other")
    graph = calculator.build_metric_dependency_graph(metric_configurations=[metric])
    needed = {
        node.metric_name for edge in graph.edges for node in (edge.left, edge.right) if node is not None
    }
    if any(not name.startswith("table.") and not name.endswith((".condition", ".map")) for name in needed):
        raise _unsupported(expectation, "it compares rows with aggregates of the batch")


def _first_reason(aborted: Any) -> str:
    for details in aborted.values():
        for info in details["exception_info"] if isinstance(details["exception_info"], set) else [details]:
            return str(getattr(info, "exception_message", info)).strip().splitlines()[0]
    return "unknown"


def _unsupported(expectation: Expectation, reason: str) -> DeclarationError:
    return DeclarationError("GS103", f"`{expectation.kind}` is not supported: {reason}")
