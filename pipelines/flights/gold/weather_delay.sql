WITH ranked AS (
  SELECT
    departures.departed_at,
    departures.dep_delay,
    CASE
      WHEN weather.wind_speed_mph < 10 THEN 1
      WHEN weather.wind_speed_mph < 20 THEN 2
      WHEN weather.wind_speed_mph < 30 THEN 3
      WHEN weather.wind_speed_mph >= 30 THEN 4
      ELSE 5
    END AS wind_rank,
    CASE
      WHEN weather.visibility_mi < 1 THEN 1
      WHEN weather.visibility_mi < 5 THEN 2
      WHEN weather.visibility_mi < 10 THEN 3
      WHEN weather.visibility_mi >= 10 THEN 4
      ELSE 5
    END AS visibility_rank,
    CASE
      WHEN weather.precipitation_in = 0 THEN 1
      WHEN weather.precipitation_in < 0.1 THEN 2
      WHEN weather.precipitation_in >= 0.1 THEN 3
      ELSE 4
    END AS precipitation_rank
  FROM silver.departures AS departures
  LEFT JOIN silver.weather AS weather
    ON weather.origin = departures.origin
    AND weather.observed_at = date_trunc('HOUR', departures.scheduled_departure_at)
  WHERE departures.has_actuals
)
SELECT
  CASE wind_rank
    WHEN 1 THEN 'under 10 mph'
    WHEN 2 THEN '10 to 20 mph'
    WHEN 3 THEN '20 to 30 mph'
    WHEN 4 THEN '30 mph and more'
    ELSE 'unknown'
  END AS wind,
  CASE visibility_rank
    WHEN 1 THEN 'under 1 mile'
    WHEN 2 THEN '1 to 5 miles'
    WHEN 3 THEN '5 to 10 miles'
    WHEN 4 THEN '10 miles and more'
    ELSE 'unknown'
  END AS visibility,
  CASE precipitation_rank
    WHEN 1 THEN 'none'
    WHEN 2 THEN 'under 0.1 inch'
    WHEN 3 THEN '0.1 inch and more'
    ELSE 'unknown'
  END AS precipitation,
  wind_rank,
  visibility_rank,
  precipitation_rank,
  count(*) AS flights,
  count_if(departed_at IS NULL) AS cancelled,
  count_if(dep_delay >= 15) AS delayed_15,
  avg(dep_delay) AS mean_dep_delay,
  count_if(departed_at IS NULL) / count(*) AS cancelled_share
FROM ranked
GROUP BY wind_rank, visibility_rank, precipitation_rank
