"""Writes the mean delay by plane age in years to a CSV file.

    goldsmith job submit examples/delay_by_plane_age.py delays.csv

The driver writes the file: the result is small enough for a spreadsheet.
"""

import csv
import sys
from pathlib import Path

import goldsmith

QUERY = """
    SELECT year(d.flight_date) - p.year_built AS age,
           count(*) AS flights,
           round(avg(d.arr_delay), 1) AS mean_arr_delay
    FROM silver.departures d
    JOIN silver.planes p USING (tailnum)
    WHERE d.arr_delay IS NOT NULL AND p.year_built IS NOT NULL
    GROUP BY age
    ORDER BY age
"""

spark = goldsmith.session(name="delay by plane age")
result = spark.sql(QUERY)
ages = result.collect()
with Path(sys.argv[1]).open("w", encoding="utf-8", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(result.columns)
    writer.writerows(ages)
print(f"{len(ages)} ages in {sys.argv[1]}")
spark.stop()
