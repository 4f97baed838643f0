"""Prints the row count of each table of the lake. Start it with `make submit JOB=examples/rows.py`."""

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("rows").getOrCreate()
for schema in spark.catalog.listDatabases():
    for table in spark.catalog.listTables(schema.name):
        name = f"{schema.name}.{table.name}"
        print(f"{name:40} {spark.table(name).count():>12,}")
spark.stop()
