SELECT
  CAST(date_trunc('MONTH', departures.flight_date) AS DATE) AS month,
  departures.carrier,
  airlines.name AS carrier_name,
  count(*) AS flights,
  count_if(departures.departed_at IS NULL) AS cancelled,
  count_if(departures.dep_delay >= 15) AS delayed_15,
  coalesce(sum(departures.distance) FILTER (WHERE departures.departed_at IS NOT NULL), 0) AS miles_flown,
  avg(departures.dep_delay) AS mean_dep_delay,
  avg(departures.arr_delay) AS mean_arr_delay,
  count_if(departures.arr_delay < 15) / count(*) AS on_time_share
FROM silver.departures AS departures
LEFT JOIN silver.airlines AS airlines ON airlines.carrier = departures.carrier
WHERE departures.has_actuals
GROUP BY CAST(date_trunc('MONTH', departures.flight_date) AS DATE), departures.carrier, airlines.name
