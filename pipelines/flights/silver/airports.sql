SELECT
  faa,
  name,
  lat AS latitude,
  lon AS longitude,
  alt AS altitude_ft,
  tz AS utc_offset_hours,
  dst,
  tzone AS time_zone,
  snapshot_on
FROM bronze.airports
