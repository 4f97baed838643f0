SELECT
  origin,
  time_hour AS observed_at,
  temp AS temperature_f,
  dewp AS dew_point_f,
  humid AS humidity_pct,
  wind_dir AS wind_direction,
  wind_speed AS wind_speed_mph,
  wind_gust AS wind_gust_mph,
  precip AS precipitation_in,
  pressure AS pressure_mb,
  visib AS visibility_mi,
  delivered_on
FROM bronze.weather
