"""Parses SQL into a plan that only reads; rejects any other SQL before it is executed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from goldsmith.errors import DeclarationError

_CATALYST = "org.apache.spark.sql.catalyst"
_LOGICAL = f"{_CATALYST}.plans.logical"
_EXECUTION = "org.apache.spark.sql.execution"

_QUERY = frozenset(
    [
        f"{_CATALYST}.analysis.{name}"
        for name in (
            "PlanWithUnresolvedIdentifier", "RelationTimeTravel", "ResolvedInlineTable", "SQLFunctionNode",
            "SQLTableFunction", "UnresolvedHaving", "UnresolvedInlineTable", "UnresolvedRelation",
            "UnresolvedSubqueryColumnAliases", "UnresolvedTVFAliases", "UnresolvedTableValuedFunction",
        )
    ]
    + [
        f"{_LOGICAL}.{name}"
        for name in (
            "Aggregate", "CTERelationDef", "CTERelationRef", "Distinct", "EmptyRelation", "Except", "Expand", "Filter",
            "Generate", "GlobalLimit", "Intersect", "Join", "LateralJoin", "LimitAll", "LocalLimit", "LocalRelation",
            "Offset", "OneRowRelation", "Pivot", "Project", "Range", "RebalancePartitions", "Repartition",
            "RepartitionByExpression", "ResolvedHint", "SQLFunctionNode", "Sample", "Sort", "Subquery",
            "SubqueryAlias", "Union", "UnionLoop", "UnionLoopRef", "Unpivot", "UnresolvedHint", "UnresolvedWith",
            "View", "Window", "WithCTE", "WithWindowDefinition",
        )
    ]
    + [
        f"{_CATALYST}.expressions.PipeOperator",
        f"{_CATALYST}.catalog.HiveTableRelation",
        f"{_EXECUTION}.datasources.LogicalRelation",
        f"{_EXECUTION}.datasources.v2.DataSourceV2Relation",
        "org.apache.spark.sql.delta.TimeTravel",
    ]
)  # fmt: skip
"""The plan nodes of queries, parsed and analyzed. A plan with any other node is rejected."""

_READING = frozenset(
    [
        f"{_LOGICAL}.DescribeColumn",
        f"{_LOGICAL}.DescribeFunction",
        f"{_LOGICAL}.DescribeRelation",
        f"{_LOGICAL}.ShowColumns",
        f"{_LOGICAL}.ShowTableProperties",
        "org.apache.spark.sql.delta.commands.DescribeDeltaDetailCommand",
        "org.apache.spark.sql.delta.commands.DescribeDeltaHistory",
    ]
)
"""Commands that only read metadata of one table or function."""

_NAMES = frozenset(
    f"{_CATALYST}.analysis.{name}"
    for name in (
        "PlanWithUnresolvedIdentifier", "UnresolvedFunctionName", "UnresolvedTable", "UnresolvedTableOrView",
        "UnresolvedView",
    )
)  # fmt: skip
"""Nodes of tables and functions that a reading command may have."""

_QUERY_COMMANDS = {
    f"{_EXECUTION}.command.ExplainCommand": "logicalPlan",
    f"{_EXECUTION}.command.DescribeQueryCommand": "plan",
}
"""Commands with a query that they do not execute, and the field that holds it."""

_RUNS_CODE = f"{_CATALYST}.expressions.CallMethodViaReflection"


@dataclass(frozen=True)
class ReadOnlyQuery:
    """SQL that only reads. plan: the parsed plan. query: the plan itself, or the query of an EXPLAIN or DESCRIBE.

    tables: the names of the tables that it reads, as tuples of parts.
    """

    plan: Any
    query: Any
    tables: tuple[tuple[str, ...], ...]


def parsed(spark: SparkSession, text: str) -> ReadOnlyQuery:
    """Parses SQL that only reads: a query, or DESCRIBE, EXPLAIN or SHOW of one table.

    Raises DeclarationError GS201 for other statements, ParseException for SQL that does not parse.
    """
    plan = spark._jsparkSession.sessionState().sqlParser().parsePlan(text)
    kind = _kind(plan)
    query = None if kind in _READING else plan
    if kind in _QUERY_COMMANDS:
        query = getattr(plan, _QUERY_COMMANDS[kind])()
    nodes = list(_nodes(plan if query is None else query))
    if query is None:
        _require(nodes[1:], _NAMES)
    else:
        _require(nodes, _QUERY)
    names = (_name(node) for node in nodes)
    return ReadOnlyQuery(plan, query, tuple(name for name in names if name))


def result_of(spark: SparkSession, found: ReadOnlyQuery) -> DataFrame:
    """The rows of a query. Checks the analyzed plan too: names may resolve to something that does not only read.

    Raises DeclarationError GS201 for a plan that does more than read, AnalysisException.
    """
    jvm: Any = spark._jvm
    session = spark._jsparkSession
    plan = found.plan
    if found.query is not None:
        # Dataset executes commands immediately, so the plan is analyzed first without executing them.
        skip = getattr(jvm, f"{_EXECUTION}.CommandExecutionMode").SKIP()
        analyzed = session.sessionState().executePlan(found.query, skip).analyzed()
        nodes = list(_nodes(analyzed))
        _require(nodes, _QUERY)
        if any(_runs_code(node) for node in nodes):
            raise _not_allowed("The functions `reflect`, `try_reflect` and `java_method` run code.")
        plan = analyzed if found.plan is found.query else plan
    return DataFrame(jvm.org.apache.spark.sql.classic.Dataset.ofRows(session, plan), spark)


def _kind(node: Any) -> str:
    return str(node.getClass().getName())


def _nodes(plan: Any) -> Iterator[Any]:
    """A plan's nodes: children, subqueries, and the queries of WITH."""
    waiting = [plan]
    while waiting:
        node = waiting.pop()
        yield node
        for inner in (node.children(), node.subqueries(), _beside(node)):
            waiting += [inner.apply(at) for at in range(inner.size())]


def _beside(node: Any) -> Any:
    # The inner children of other nodes are not plans.
    inner = node.innerChildren()
    return inner if _kind(node) == f"{_LOGICAL}.UnresolvedWith" else inner.take(0)


def _require(nodes: list[Any], allowed: frozenset[str]) -> None:
    for node in nodes:
        kind = _kind(node)
        if kind not in allowed:
            raise _not_allowed(
                f"This statement does not only read: Spark plans it as {kind.rpartition('.')[2]}."
            )


def _not_allowed(message: str) -> DeclarationError:
    return DeclarationError(
        "GS201",
        message,
        hint="Write one query, or DESCRIBE, EXPLAIN, SHOW COLUMNS or SHOW TBLPROPERTIES. `goldsmith status` lists the "
        "tables, and only `goldsmith run` changes them.",
    )


def _name(node: Any) -> tuple[str, ...]:
    """The parts of the table's name in a node; empty for other nodes."""
    if _kind(node).rpartition(".")[2] not in (
        "UnresolvedRelation",
        "UnresolvedTable",
        "UnresolvedTableOrView",
    ):
        return ()
    parts = node.multipartIdentifier()
    return tuple(str(parts.apply(at)) for at in range(parts.size()))


def _runs_code(node: Any) -> bool:
    expressions = node.expressions()
    waiting = [expressions.apply(at) for at in range(expressions.size())]
    while waiting:
        part = waiting.pop()
        if _kind(part) == _RUNS_CODE:
            return True
        children = part.children()
        waiting += [children.apply(at) for at in range(children.size())]
    return False
