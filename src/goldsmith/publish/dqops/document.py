"""The YAML documents of the user home: the connection and the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from goldsmith.project.pipelines import Project
from goldsmith.project.tables import Table
from goldsmith.project.types import family, sizes_of, word_of
from goldsmith.publish.dqops.check import Check
from goldsmith.publish.dqops.checks import map_expectations
from goldsmith.publish.dqops.load_verdicts import import_check
from goldsmith.publish.dqops.monitoring import monitoring_checks, timestamp_columns


class _HomeDumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Writes no anchors: DQOps cannot read them, and then finds no checks in the file."""
        return True


def _as_block(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_HomeDumper.add_representer(str, _as_block)


def text_of(document: Mapping[str, Any], comment: str) -> str:
    """A document as YAML after a comment line."""
    body = yaml.dump(dict(document), Dumper=_HomeDumper, sort_keys=False, width=110, allow_unicode=True)
    return f"# {comment}\n{body}"


def checks_of(table: Table) -> tuple[Check, ...]:
    """All daily checks of a table, one per key: expectations first, then load verdicts, then monitoring."""
    checks, _ = map_expectations(table)
    by_key = {check.key: check for check in checks}
    imported = import_check(table)
    for check in (*([imported] if imported else []), *monitoring_checks(table)):
        without_nulls = (check.column, "daily_nulls_count") in by_key
        if not (check.name == "daily_nulls_percent_anomaly" and without_nulls):
            by_key.setdefault(check.key, check)
    return tuple(by_key.values())


def connection_document() -> dict[str, Any]:
    """The connection to the Thrift Server. Its address and account come from the server's environment.

    It has no notifications: the server replaces no variables in their addresses, and this file is in git.
    """
    return _document(
        "source",
        {
            "provider_type": "spark",
            "spark": {
                "host": "${SPARK_THRIFT_HOST}",
                "port": "${SPARK_THRIFT_PORT}",
                "user": "${SPARK_THRIFT_USER}",
                "password": "${SPARK_THRIFT_PASSWORD}",
                # In ANSI mode, checks that parse text fail on the first invalid text.
                "properties": {"hiveconf:spark.sql.ansi.enabled": "false"},
            },
            "parallel_jobs_limit": 1,
            "incident_grouping": {
                "grouping_level": "table_dimension_category",
                # Warnings are expected from time to time and open no incident.
                "minimum_severity": "error",
            },
        },
    )


def table_document(project: Project, table: Table) -> dict[str, Any]:
    """A table's document: its columns, checks, owner and check schedule."""
    checks = checks_of(table)
    owner = project.owner(table.name)
    schedule = (
        {"disabled": True}
        if project.gate(table.name)
        else {"cron_expression": getattr(project.spec.dqops, table.layer)}
    )
    columns = {
        name: _column(kind, [check for check in checks if check.column == name])
        for name, kind in (table.columns or {}).items()
    }
    stamps = timestamp_columns(table)
    grouping = _grouping(table, checks)
    tags = (*project.pipelines[table.pipeline].spec.tags, *table.spec.tags)
    return _document(
        "table",
        {
            **({"timestamp_columns": stamps} if stamps else {}),
            **({"groupings": grouping} if grouping else {}),
            "owner": {**({"data_steward": owner} if owner else {}), "application": table.pipeline},
            "monitoring_checks": {"daily": _by_category(check for check in checks if check.column is None)},
            "schedules_override": {"monitoring_daily": schedule},
            **({"columns": columns} if columns else {}),
            "labels": list(dict.fromkeys([table.layer, table.pipeline, *tags])),
        },
    )


def _grouping(table: Table, checks: Iterable[Check]) -> dict[str, Any]:
    """The data groupings of the checks. The checks' SQL returns the value of the first level.

    The server requires a column for the level, but no query of these checks reads it.
    """
    names = {check.grouping for check in checks if check.grouping}
    column = next(iter(table.columns or {}), "grouping_level_1")
    level = {"source": "column_value", "column": column}
    return {name: {"level_1": dict(level)} for name in sorted(names)}


def _document(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "dqo/v1", "kind": kind, "spec": spec}


def _column(kind: str | None, checks: list[Check]) -> dict[str, Any]:
    snapshot = _type_snapshot(kind)
    return {
        **({"type_snapshot": snapshot} if snapshot else {}),
        **({"monitoring_checks": {"daily": _by_category(checks)}} if checks else {}),
    }


def _by_category(checks: Iterable[Check]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for check in checks:
        found.setdefault(check.category, {})[check.name] = check.document
    return found


def _type_snapshot(kind: str | None) -> dict[str, Any]:
    """A Spark type in DQOps' form; empty if unknown. Without it, checks on times do not parse."""
    if kind is None:
        return {}
    name, sizes = word_of(kind), sizes_of(kind)
    if name is None:
        return {}
    snapshot: dict[str, Any] = {"column_type": name.upper()}
    if sizes and name == "decimal":
        snapshot |= {"precision": sizes[0], "scale": sizes[1] if len(sizes) > 1 else 0}
    elif sizes:
        snapshot["length"] = sizes[0]
    elif family(name) == "nested":
        snapshot["nested"] = True
    return snapshot
