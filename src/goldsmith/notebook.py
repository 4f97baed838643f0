"""Creates a Spark session for scripts and notebooks from a project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.errors import NotReady
from goldsmith.project.loading import find_root, load_project
from goldsmith.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_DELTA = "io.delta.sql.DeltaSparkSessionExtension"


def session(
    profile: str | None = None, *, project: str | Path | None = None, name: str | None = None
) -> SparkSession:
    """A Spark session of the project's profile with its tables registered by their full names.

        spark = goldsmith.session()
        spark.table("gold.daily_punctuality").show()

    profile: by default GOLDSMITH_PROFILE, else the project's. project: its folder, by default GOLDSMITH_PROJECT, else
    the nearest folder with a goldsmith.yaml at or above the working directory. name: the application's name, by
    default the project's. A further call returns the same session, and registers tables that were loaded since.

    Raises DeclarationError GS100 without a project, GS108 for an unknown profile, DeclarationErrors for mistakes in
    the declarations; NotReady GS901, GS902, GS905 if the session cannot be created, GS906 if this process has a
    session without Delta.
    """
    from pyspark.sql import SparkSession

    from goldsmith.engine.launch.session import make_session
    from goldsmith.run.context import Run
    from goldsmith.run.sql_query import register_all_tables

    folder = project or os.environ.get("GOLDSMITH_PROJECT")
    found = load_project(find_root(Path(folder) if folder else Path.cwd()))
    chosen = profile or os.environ.get("GOLDSMITH_PROFILE")
    spec = found.profile(chosen)
    running = SparkSession.getActiveSession()
    if running is not None and _DELTA not in (running.conf.get("spark.sql.extensions", "") or ""):
        raise NotReady(
            "GS906",
            "This process already has a Spark session without Delta.",
            hint="Stop it first (`spark.stop()`), or call `goldsmith.session()` first.",
        )
    spark = make_session(
        spec, name=name or found.spec.name, warehouse=spec.warehouse, settings=Settings.from_environment()
    )
    if spec.catalog == "memory":
        register_all_tables(spark, Run.begin(found, chosen))
    return spark
