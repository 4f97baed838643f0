"""A Spark session for scripts and notebooks, with a project's settings and tables."""

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
    """A Spark session with the settings of the project's profile and its tables under their full names.

        spark = goldsmith.session()
        spark.table("gold.daily_punctuality").show()

    profile: default GOLDSMITH_PROFILE, else the project's own. project: its folder; default GOLDSMITH_PROJECT, else the
    nearest folder with a goldsmith.yaml, from the working directory up. name: the application's; default the project's.
    A second call returns the same session, and registers tables that were loaded for the first time since.

    Raises DeclarationError GS100 without a project, GS108 for an unknown profile, DeclarationErrors for invalid
    declarations; NotReady GS901, GS902, GS905 as a session of the profile does, GS906 if a session without Delta
    already runs in this process.
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
            "A Spark session without Delta runs in this process already.",
            hint="Stop it first (`spark.stop()`), or start with `goldsmith.session()`.",
        )
    spark = make_session(
        spec, name=name or found.spec.name, warehouse=spec.warehouse, settings=Settings.from_environment()
    )
    if spec.catalog == "memory":
        register_all_tables(spark, Run.begin(found, chosen))
    return spark
