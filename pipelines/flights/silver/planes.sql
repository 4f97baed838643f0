SELECT
  tailnum,
  year AS year_built,
  type,
  manufacturer,
  model,
  engines,
  seats,
  speed AS speed_mph,
  engine,
  snapshot_on
FROM bronze.planes
