"""Prints the days with the most late departures, at one airport or at all.

goldsmith job submit examples/worst_days.py --origin EWR --top 5
"""

import argparse

from pyspark.sql import functions as F

import goldsmith

parser = argparse.ArgumentParser(description="Prints the days with the most late departures.")
parser.add_argument("--origin", help="an airport, as EWR")
parser.add_argument("--top", type=int, default=10, help="the number of days")
arguments = parser.parse_args()

spark = goldsmith.session(name="worst days")
days = spark.table("gold.daily_punctuality")
if arguments.origin:
    days = days.where(F.col("origin") == arguments.origin)
late = F.round(100 * F.col("delayed_15") / F.col("flights"), 1)
days.select("flight_date", "origin", "flights", "cancelled", late.alias("late_percent")).orderBy(
    F.desc("late_percent"), "flight_date", "origin"
).show(arguments.top)
spark.stop()
