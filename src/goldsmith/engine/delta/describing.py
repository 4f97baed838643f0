"""Keeps what a Delta table says of itself in step with its declaration: comments, properties, clustering."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.writing import session_commit
from goldsmith.engine.failures import is_conflict
from goldsmith.project.sql.text import quoted

DECLARED = "goldsmith.declared"
"""The table property that says which declaration the table was brought in step with, and what that set."""

_DEFAULT = "spark.databricks.delta.properties.defaults."


@dataclass(frozen=True)
class Description:
    """What a declaration says of a table beside its rows. columns: their comments, where they have one."""

    comment: str
    columns: Mapping[str, str]
    properties: Mapping[str, str]
    cluster_by: tuple[str, ...]

    @property
    def mark(self) -> str:
        """The text of DECLARED: a digest, and the names of what is set. Empty where nothing is declared."""
        content = (
            self.comment,
            sorted(self.columns.items()),
            sorted(self.properties.items()),
            self.cluster_by,
        )
        if not any(content):
            return ""
        held = {
            "digest": hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16],
            "columns": sorted(self.columns),
            "properties": sorted(self.properties),
        }
        return json.dumps(held, separators=(",", ":"))


def in_step(log: TableLog, wanted: Description) -> bool:
    """True if the table was last brought in step with this description: one look at what is in memory."""
    return (log.table_property(DECLARED) or "") == wanted.mark


def bring_in_step(spark: SparkSession, log: TableLog, wanted: Description) -> bool:
    """Makes the table's comments, properties and clustering those that are wanted; True if it committed.

    The commit has no rows, so readers of changes pass over it. It carries no bookmark: the one before it stays
    the table's. Columns without a description keep the comment that they came with. False if another
    writer was faster; the next run looks again.
    """
    try:
        clustered = not _is_clustered(spark, log, wanted)
        if clustered:
            _cluster(spark, log, wanted.cluster_by)
        transaction, metadata = log.transaction()
        told = _described(spark, log, metadata, wanted)
        if told.equals(metadata):
            return clustered
        transaction.updateMetadata(told, False)
        with session_commit(spark, _told(log)):
            log.commit_description(transaction, told.configuration())
    except Exception as error:
        if is_conflict(error):
            return False
        raise
    return True


def differs(spark: SparkSession, log: TableLog, wanted: Description) -> bool:
    """True if the table's words are not the wanted ones, whoever changed them."""
    metadata = log.transaction()[1]
    return not (
        _is_clustered(spark, log, wanted) and _described(spark, log, metadata, wanted).equals(metadata)
    )


def _is_clustered(spark: SparkSession, log: TableLog, wanted: Description) -> bool:
    found = DeltaTable.forPath(spark, log.path).detail().select("clusteringColumns").collect()
    return tuple(found[0].clusteringColumns or ()) == wanted.cluster_by


def _cluster(spark: SparkSession, log: TableLog, wanted: tuple[str, ...]) -> None:
    by = f"({', '.join(map(quoted, wanted))})" if wanted else "NONE"
    with session_commit(spark, _told(log)):
        spark.sql(f"ALTER TABLE delta.{quoted(log.path)} CLUSTER BY {by}")


def _described(spark: SparkSession, log: TableLog, metadata: Any, wanted: Description) -> Any:
    """The metadata with what is wanted."""
    former = json.loads(log.table_property(DECLARED) or "{}")
    settings = {**wanted.properties, DECLARED: wanted.mark}
    gone = [key for key in former.get("properties", ()) if key not in wanted.properties]
    configuration = metadata.configuration()
    for key in (*gone, *(key for key, value in settings.items() if not value)):
        configuration = configuration.removed(key)
    for key in gone:
        default = spark.conf.get(_DEFAULT + key.removeprefix("delta."), None)
        if default is not None:
            settings[key] = default
    for key, value in settings.items():
        if value:
            configuration = configuration.updated(key, value)
    schema = _commented(json.loads(metadata.schemaString()), wanted.columns, former.get("columns", ()))
    return metadata.copy(
        metadata.id(),
        metadata.name(),
        wanted.comment or None,
        metadata.format(),
        json.dumps(schema, separators=(",", ":"), ensure_ascii=False),
        metadata.partitionColumns(),
        log.checked(configuration),
        metadata.createdTime(),
    )


def _commented(schema: dict[str, Any], wanted: Mapping[str, str], former: Any) -> dict[str, Any]:
    """The schema with the wanted comments, and without those that a former declaration had set."""
    comments = {name.lower(): comment for name, comment in wanted.items()}
    gone = {name.lower() for name in former} - set(comments)
    for field in schema["fields"]:
        name = field["name"].lower()
        if name in comments:
            field["metadata"]["comment"] = comments[name]
        elif name in gone:
            field["metadata"].pop("comment", None)
    return schema


def _told(log: TableLog) -> str:
    # The version that the commit is planned from: the log store on S3 refuses it on any other.
    return json.dumps({"base": log.version(), "describes": True})
