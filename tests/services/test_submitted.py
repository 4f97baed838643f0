"""A program started by spark-submit with the settings of spark/conf."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyspark

from goldsmith.engine.launch.compiled_jars import LOG_STORE, build
from goldsmith.engine.launch.jars import fetch
from goldsmith.settings import Settings
from services.conftest import CONF
from support.homes import S3Home

PROGRAM = """
from pathlib import Path
from goldsmith.engine.launch.session import make_session
from goldsmith.project.loading import load_project
from goldsmith.run.context import Run
from goldsmith.run.runner import run_tables
from goldsmith.settings import Settings

project = load_project(Path.cwd())
profile = project.profile()
spark = make_session(profile, name="shop", warehouse=profile.warehouse, settings=Settings.from_environment())
context = spark.sparkContext
keys = ("spark.sql.shuffle.partitions", "spark.sql.session.timeZone", "spark.sql.broadcastTimeout")
print("told", context.master, context.appName, *[context.getConf().get(key) for key in keys])
run_tables(spark, Run.begin(project), project.select(()), parallel=1)
print("rows", spark.read.format("delta").load(f"{profile.warehouse}/bronze/orders").count())
"""


def test_options_override_the_profile_and_the_profile_overrides_defaults(
    home: S3Home, tmp_path: Path
) -> None:
    settings = Settings.from_environment()
    jars = [*fetch(settings, ("delta", "s3"), print), build(LOG_STORE, settings, print)]
    declared = home.declared.replace("local[2]", "local[7]").rstrip()[:-1]
    declared += ", conf: {spark.sql.shuffle.partitions: 5, spark.sql.broadcastTimeout: 77}}\n"
    (tmp_path / "goldsmith.yaml").write_text(declared)
    table = tmp_path / "pipelines/p/bronze/orders.yaml"
    table.parent.mkdir(parents=True)
    (tmp_path / "pipelines/p/pipeline.yaml").write_text("description: A test.")
    table.write_text("source: {files: orders/*.csv, format: csv}\ncolumns: {id: int}\n")
    home.deliver("orders/a.csv", b"id\n1\n2\n")
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [
            str(Path(pyspark.__file__).parent / "bin/spark-submit"),
            *("--master", "local[1]", "--conf", "spark.sql.shuffle.partitions=3"),
            *("--driver-class-path", ":".join(map(str, jars)), "program.py"),
        ],
        cwd=tmp_path,
        env={**os.environ, "SPARK_CONF_DIR": str(CONF), "PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "told local[1] shop 3 UTC 77" in done.stdout
    assert "rows 2" in done.stdout
