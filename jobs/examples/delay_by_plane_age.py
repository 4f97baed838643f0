"""Whether older planes arrive later: mean delay by the plane's age in years, as a CSV file.

    goldsmith job submit examples/delay_by_plane_age.py delays.csv

Written where the driver runs: the result is small enough for one file that a spreadsheet opens.
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
answer = spark.sql(QUERY)
ages = answer.collect()
with Path(sys.argv[1]).open("w", encoding="utf-8", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(answer.columns)
    writer.writerows(ages)
print(f"{len(ages)} ages in {sys.argv[1]}")
spark.stop()
