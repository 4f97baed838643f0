WITH banded AS (
  SELECT
    departures.departed_at,
    departures.dep_delay,
    CASE
      WHEN weather.wind_speed_mph < 10 THEN '1 under 10 mph'
      WHEN weather.wind_speed_mph < 20 THEN '2 10 to 20 mph'
      WHEN weather.wind_speed_mph < 30 THEN '3 20 to 30 mph'
      WHEN weather.wind_speed_mph >= 30 THEN '4 30 mph and more'
      ELSE 'unknown'
    END AS wind,
    CASE
      WHEN weather.visibility_mi < 1 THEN '1 under 1 mile'
      WHEN weather.visibility_mi < 5 THEN '2 1 to 5 miles'
      WHEN weather.visibility_mi < 10 THEN '3 5 to 10 miles'
      WHEN weather.visibility_mi >= 10 THEN '4 10 miles and more'
      ELSE 'unknown'
    END AS visibility,
    CASE
      WHEN weather.precipitation_in = 0 THEN '1 none'
      WHEN weather.precipitation_in < 0.1 THEN '2 under 0.1 inch'
      WHEN weather.precipitation_in >= 0.1 THEN '3 0.1 inch and more'
      ELSE 'unknown'
    END AS precipitation
  FROM silver.departures AS departures
  LEFT JOIN silver.weather AS weather
    ON weather.origin = departures.origin
    AND weather.observed_at = date_trunc('HOUR', departures.scheduled_departure_at)
  WHERE departures.has_actuals
)
SELECT
  wind,
  visibility,
  precipitation,
  count(*) AS flights,
  count_if(departed_at IS NULL) AS cancelled,
  count_if(dep_delay >= 15) AS delayed_15,
  avg(dep_delay) AS mean_dep_delay,
  count_if(departed_at IS NULL) / count(*) AS cancelled_share
FROM banded
GROUP BY wind, visibility, precipitation
