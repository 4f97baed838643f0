"""Appends ROWS rows COUNT times to a table of the metastore, then counts them: TABLE COUNT ROWS."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

table, count, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
spark = SparkSession.builder.appName("appends").getOrCreate()
spark.sql("CREATE SCHEMA IF NOT EXISTS faults LOCATION 's3a://lake/warehouse/faults'")
spark.sql(
    f"CREATE TABLE IF NOT EXISTS faults.{table} (id BIGINT) USING delta "
    f"LOCATION 's3a://lake/warehouse/faults/{table}'"
)
for number in range(count):
    spark.range(number * rows, (number + 1) * rows, numPartitions=4).write.format("delta").mode(
        "append"
    ).saveAsTable(f"faults.{table}")
    print(f"appended {number + 1}", flush=True)
found = spark.table(f"faults.{table}").agg(F.count("*"), F.countDistinct("id")).first()
assert found is not None
print(f"rows {found[0]} distinct {found[1]}", flush=True)
spark.stop()
