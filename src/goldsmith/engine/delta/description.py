"""Applies declared comments, properties and clustering to a Delta table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from goldsmith.engine.conditions import is_conflict
from goldsmith.engine.delta.described import DECLARED, Description
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.session_log import SessionLog
from goldsmith.engine.delta.writing import session_commit
from goldsmith.project.sql.text import quoted

_DEFAULT = "spark.databricks.delta.properties.defaults."


def apply_description(spark: SparkSession, log: TableLog, wanted: Description) -> bool:
    """Sets the table's comments, properties and clustering; True if it committed.

    The commit has no rows, so readers of changes skip it. It carries no bookmark: the previous one stays the
    table's. Columns without a description keep their comments. False after a conflict; the next run tries again.
    """
    try:
        clustered = not _is_clustered(spark, log, wanted)
        if clustered:
            _cluster(spark, log, wanted.cluster_by)
        session_log = SessionLog(spark, log.path)
        transaction, metadata = session_log.transaction()
        updated = _with_description(session_log, log, metadata, wanted)
        if updated.equals(metadata):
            return clustered
        transaction.updateMetadata(updated, False)
        with session_commit(spark, _user_metadata(log)):
            session_log.commit_properties(transaction, updated.configuration())
    except Exception as error:
        if is_conflict(error):
            return False
        raise
    return True


def differs(spark: SparkSession, log: TableLog, wanted: Description) -> bool:
    """True if the table's comments, properties or clustering differ from the description."""
    session_log = SessionLog(spark, log.path)
    metadata = session_log.transaction()[1]
    return not (
        _is_clustered(spark, log, wanted)
        and _with_description(session_log, log, metadata, wanted).equals(metadata)
    )


def _is_clustered(spark: SparkSession, log: TableLog, wanted: Description) -> bool:
    found = DeltaTable.forPath(spark, log.path).detail().select("clusteringColumns").collect()
    return tuple(found[0].clusteringColumns or ()) == wanted.cluster_by


def _cluster(spark: SparkSession, log: TableLog, wanted: tuple[str, ...]) -> None:
    by = f"({', '.join(map(quoted, wanted))})" if wanted else "NONE"
    with session_commit(spark, _user_metadata(log)):
        spark.sql(f"ALTER TABLE delta.{quoted(log.path)} CLUSTER BY {by}")


def _with_description(session_log: SessionLog, log: TableLog, metadata: Any, wanted: Description) -> Any:
    """The metadata with the description applied."""
    former = json.loads(log.table_property(DECLARED) or "{}")
    settings = {**wanted.properties, DECLARED: wanted.fingerprint}
    gone = [key for key in former.get("properties", ()) if key not in wanted.properties]
    configuration = metadata.configuration()
    for key in (*gone, *(key for key, value in settings.items() if not value)):
        configuration = configuration.removed(key)
    for key in gone:
        default = session_log.spark.conf.get(_DEFAULT + key.removeprefix("delta."), None)
        if default is not None:
            settings[key] = default
    for key, value in settings.items():
        if value:
            configuration = configuration.updated(key, value)
    schema = _with_comments(json.loads(metadata.schemaString()), wanted.columns, former.get("columns", ()))
    return metadata.copy(
        metadata.id(),
        metadata.name(),
        wanted.comment or None,
        metadata.format(),
        json.dumps(schema, separators=(",", ":"), ensure_ascii=False),
        metadata.partitionColumns(),
        session_log.validated(configuration),
        metadata.createdTime(),
    )


def _with_comments(schema: dict[str, Any], wanted: Mapping[str, str], former: Any) -> dict[str, Any]:
    """The schema with the wanted comments, without those that an earlier declaration had set."""
    comments = {name.lower(): comment for name, comment in wanted.items()}
    gone = {name.lower() for name in former} - set(comments)
    for field in schema["fields"]:
        name = field["name"].lower()
        if name in comments:
            field["metadata"]["comment"] = comments[name]
        elif name in gone:
            field["metadata"].pop("comment", None)
    return schema


def _user_metadata(log: TableLog) -> str:
    # The version that the commit is planned from: on S3 the log store rejects it on any other version.
    return json.dumps({"base": log.version(), "describes": True})
