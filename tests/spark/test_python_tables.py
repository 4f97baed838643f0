"""Python tables."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from support.lake import Lake

CODE = """
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import udf


def transform(spark: SparkSession, tables: dict[str, DataFrame]) -> DataFrame:
    rows = tables["bronze.t"]

    @udf("int")
    def doubled(text):
        return int(text) * 2

    return rows.select(doubled(rows["v"]).alias("n"))
"""


def test_error_in_a_python_function_is_reported_with_its_line(spark: SparkSession, tmp_path: Path) -> None:
    lake = Lake(spark, tmp_path)
    lake.declare("bronze.t", "source: {files: t/*.csv, format: csv}\ncolumns: {v: string}")
    lake.declare("gold.t", "reads: [bronze.t]")
    lake.write("pipelines/p/gold/t.py", CODE)
    lake.deliver("t/a.csv", "v\n1\nx\n")
    error = lake.failed("gold.t").error
    assert error is not None
    assert error.code == "GS206"
    assert "ValueError: invalid literal for int() with base 10: 'x'" in error.message
    assert Path(str(error.where.file)).name == "t.py"
    assert error.where.line == CODE.splitlines().index("        return int(text) * 2") + 1
    lake.write("pipelines/p/gold/t.py", CODE.replace("int(text)", "len(text)"))
    lake.done()
    assert lake.rows("gold.t") == [(2,), (2,)]


MODULE = """
from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql.functions import udf


@dataclass
class Point:
    x: int


def doubled(text):
    return Point(int(text)).x * 2


def transform(spark, tables):
    rows = tables["bronze.t"]
    return rows.select(udf(doubled, "int")(rows["v"]).alias("n"))
"""


def test_executors_run_functions_and_dataclasses_of_the_file(lake: Lake) -> None:
    lake.declare("bronze.t", "source: {files: t/*.csv, format: csv}\ncolumns: {v: string}")
    lake.declare("gold.t", "reads: [bronze.t]")
    lake.write("pipelines/p/gold/t.py", MODULE)
    lake.deliver("t/a.csv", "v\n1\n2\n")
    lake.done()
    assert lake.rows("gold.t") == [(2,), (4,)]
    # The corrected file is executed again in the same process.
    lake.write("pipelines/p/gold/t.py", MODULE.replace("* 2", "* 30"))
    lake.done()
    assert lake.rows("gold.t") == [(30,), (60,)]
