WITH legs AS (
  SELECT
    flight_date,
    tailnum,
    air_time,
    distance,
    (
      unix_seconds(departed_at)
      - unix_seconds(lag(departed_at) OVER (PARTITION BY flight_date, tailnum ORDER BY departed_at, carrier, flight, origin))
    ) div 60 AS turnaround
  FROM silver.departures
  WHERE has_actuals AND departed_at IS NOT NULL AND tailnum IS NOT NULL
)
SELECT
  flight_date,
  tailnum,
  count(*) AS legs,
  sum(air_time) AS minutes_in_air,
  count_if(air_time IS NULL) AS legs_without_air_time,
  sum(distance) AS miles,
  count(turnaround) AS turnarounds,
  min(turnaround) AS shortest_turnaround
FROM legs
GROUP BY flight_date, tailnum
