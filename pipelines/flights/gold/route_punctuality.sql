WITH flown AS (
  SELECT
    departures.origin,
    origins.name AS origin_name,
    departures.dest,
    destinations.name AS dest_name,
    destinations.latitude AS dest_latitude,
    destinations.longitude AS dest_longitude,
    departures.distance,
    departures.departed_at,
    departures.dep_delay,
    departures.arr_delay,
    unix_seconds(to_utc_timestamp(CAST(departures.arrived_local AS TIMESTAMP), destinations.time_zone))
      - unix_seconds(departures.departed_at) AS seconds_gate_to_gate
  FROM silver.departures AS departures
  LEFT JOIN silver.airports AS origins ON origins.faa = departures.origin
  LEFT JOIN silver.airports AS destinations ON destinations.faa = departures.dest
  WHERE departures.has_actuals
)
SELECT
  origin,
  origin_name,
  dest,
  dest_name,
  dest_latitude,
  dest_longitude,
  max(distance) AS distance,
  count(*) AS flights,
  count_if(departed_at IS NULL) AS cancelled,
  count_if(dep_delay >= 15) AS delayed_15,
  avg(dep_delay) AS mean_dep_delay,
  avg(arr_delay) AS mean_arr_delay,
  avg(seconds_gate_to_gate div 60) AS mean_gate_to_gate
FROM flown
GROUP BY origin, origin_name, dest, dest_name, dest_latitude, dest_longitude
