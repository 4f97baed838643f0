SELECT
  flight_date,
  origin,
  count(*) AS flights,
  count_if(departed_at IS NULL) AS cancelled,
  count_if(dep_delay >= 15) AS delayed_15,
  avg(dep_delay) AS mean_dep_delay,
  avg(arr_delay) AS mean_arr_delay,
  round(percentile_cont(0.9) WITHIN GROUP (ORDER BY arr_delay), 1) AS p90_arr_delay
FROM silver.departures
WHERE has_actuals
GROUP BY flight_date, origin
