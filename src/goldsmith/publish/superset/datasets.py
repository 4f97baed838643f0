"""The database, and a dataset for each table that dashboards may read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from goldsmith.project.models import Metric
from goldsmith.project.relations import Relation
from goldsmith.project.types import is_single
from goldsmith.publish.superset.assets import VERSION
from goldsmith.publish.superset.names import Names

DATABASE = "Lakehouse"
DEFAULT_URI = "spark://analyst@thrift-server:10000/gold"
_DAY = 86_400


def database_uri(environment: Mapping[str, str]) -> str | None:
    """The URI of the Thrift Server: SUPERSET_DATABASE_URI, else built from SPARK_THRIFT_*.

    None without either. Set a password only for a server with authentication, because other servers refuse one.
    """
    if uri := environment.get("SUPERSET_DATABASE_URI"):
        return uri
    host = environment.get("SPARK_THRIFT_HOST")
    if not host:
        return None
    login = quote(environment.get("SPARK_THRIFT_USER") or "analyst", safe="")
    port = environment.get("SPARK_THRIFT_PORT") or "10000"
    password = environment.get("SPARK_THRIFT_PASSWORD")
    if not password:
        return f"spark://{login}@{host}:{port}/gold"
    return f"spark://{login}:{quote(password, safe='')}@{host}:{port}/gold?auth=CUSTOM"


def database(names: Names) -> dict[str, Any]:
    """The Thrift Server as Superset's database. A push sets its address."""
    return {
        "database_name": DATABASE,
        "sqlalchemy_uri": DEFAULT_URI,
        "cache_timeout": None,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {
            "allows_virtual_table_explore": True,
            "metadata_cache_timeout": {"schema_cache_timeout": _DAY, "table_cache_timeout": 600},
        },
        "uuid": names.uuid("database", "lakehouse"),
        "version": VERSION,
    }


def dataset(relation: Relation, names: Names, hidden: Collection[str | None]) -> dict[str, Any]:
    """A table with its columns, types and certified metrics. hidden: metrics that charts are only sorted by."""
    return {
        "table_name": relation.short,
        "main_dttm_col": relation.main_time,
        "description": relation.description or None,
        "schema": relation.schema,
        "filter_select_enabled": True,
        "columns": [_column(relation, name) for name in relation.columns or {}],
        "metrics": [
            # Superset recognizes a hidden metric by its name among the labels, and draws it otherwise.
            _metric(name, name if name in hidden else metric.label_for(name), metric, relation.owner)
            for name, metric in relation.metrics.items()
        ],
        "uuid": names.uuid("dataset", relation.name),
        "database_uuid": names.uuid("database", "lakehouse"),
        "version": VERSION,
    }


def _column(relation: Relation, name: str) -> dict[str, Any]:
    assert relation.columns is not None
    column = relation.columns[name]
    kind = column.type.upper() if column.type else None
    single = is_single(column.type)
    return {
        "column_name": name,
        "verbose_name": name.replace("_", " ").capitalize(),
        "type": kind,
        "is_dttm": bool(relation.is_temporal(name)),
        "is_active": True,
        "groupby": single,
        "filterable": single,
        "description": column.description or None,
    }


def _metric(name: str, label: str, metric: Metric, owner: str) -> dict[str, Any]:
    return {
        "metric_name": name,
        "verbose_name": label,
        "expression": metric.expression,
        "description": metric.description or None,
        "d3format": metric.format or None,
        "extra": {"certification": {"certified_by": owner, "details": "Declared with its table, in git."}},
    }
