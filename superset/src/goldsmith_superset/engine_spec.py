"""How Superset speaks to `spark://`: Spark's own time grains, and views by Spark's answer."""

from __future__ import annotations

from sqlalchemy.engine.reflection import Inspector
from superset.db_engine_specs.spark import SparkEngineSpec
from superset.models.core import Database


class SparkThriftEngineSpec(SparkEngineSpec):
    """Superset's Spark, under a name of its own: its `hive://` takes Hive's grains, which Spark refuses."""

    engine = "spark"
    engine_name = "Spark Thrift Server"
    # Presto's spec, from which this one descends, takes the address's database for a catalog: permissions on
    # schemas would be looked for under `gold.gold` and not be found.
    supports_catalog = False
    supports_dynamic_catalog = False

    @classmethod
    def get_default_catalog(cls, database: Database) -> str | None:  # noqa: ARG003
        return None

    @classmethod
    def get_catalog_names(cls, database: Database, inspector: Inspector) -> set[str]:  # noqa: ARG003
        return set()

    @classmethod
    def get_view_names(cls, database: Database, inspector: Inspector, schema: str | None) -> set[str]:  # noqa: ARG003
        return set(inspector.get_view_names(schema))
