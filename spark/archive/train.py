"""Runs the operations of jobs, so that the JVM loads their classes. Usage: train.py FOLDER"""

import sys
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def lifecycle(spark: SparkSession, warehouse: str) -> None:
    """The operations on a table: create, append, merge, read, history, maintenance."""
    path = f"{warehouse}/table"
    rows = spark.range(2000).select(
        F.col("id"),
        (F.col("id") % 7).cast("string").alias("word"),
        F.make_date(F.lit(2013), F.lit(1), (F.col("id") % 28 + 1).cast("int")).alias("day"),
        (F.col("id") / 3).cast("decimal(12,2)").alias("amount"),
        F.current_timestamp().alias("at"),
    )
    rows.write.format("delta").save(path)
    rows.write.format("delta").mode("append").option("userMetadata", '{"base": 0}').save(path)
    table = DeltaTable.forPath(spark, path)
    (
        table.alias("t")
        .merge(rows.dropDuplicates(["id"]).alias("s"), "t.id = s.id")
        .whenMatchedUpdateAll()
        .whenNotMatchedInsertAll()
        .execute()
    )
    table.delete("id < 5")
    changes = spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", 1)
    changes.load(path).groupBy("_change_type").count().collect()
    read = spark.read.format("delta").load(path)
    read.createOrReplaceTempView("read")
    spark.sql(
        "SELECT word, count(*), sum(amount), row_number() OVER (PARTITION BY word ORDER BY max(day)) "
        "FROM read LEFT ANTI JOIN (SELECT 3 AS id) USING (id) WHERE at IS NOT NULL GROUP BY word ORDER BY word"
    ).collect()
    first = rows.where("day = '2013-01-01'")
    first.write.format("delta").mode("overwrite").option("replaceWhere", "day = '2013-01-01'").save(path)
    read.limit(10).write.format("delta").mode("overwrite").save(path)
    table.history().collect()
    table.optimize().executeCompaction()
    table.vacuum()


def files(spark: SparkSession, landing: str) -> None:
    """Writes and reads CSV and JSON files."""
    rows = spark.range(100).select("id", F.col("id").cast("string").alias("word"))
    rows.write.option("header", True).csv(f"{landing}/csv")
    rows.write.json(f"{landing}/json")
    csv = spark.read.schema("id string, word string").option("header", True).csv(f"{landing}/csv")
    csv.withColumn("file", F.input_file_name()).unionByName(
        spark.read.json(f"{landing}/json").select(F.col("id").cast("string"), "word"),
        allowMissingColumns=True,
    ).agg(F.count("*"), F.max("file")).collect()


def main() -> None:
    folder = Path(sys.argv[1])
    spark = SparkSession.builder.getOrCreate()
    files(spark, f"{folder}/landing")
    lifecycle(spark, f"{folder}/warehouse")
    spark.stop()


if __name__ == "__main__":
    main()
