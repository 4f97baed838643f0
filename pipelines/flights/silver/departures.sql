-- Times are computed from the schedule and the delays, not from the actual clock times: a delay determines the day, and
-- has no special value 2400.
WITH delivered AS (
  SELECT
    CASE WHEN year BETWEEN 2000 AND 2099
      THEN TRY_CAST(concat(year, '-', month, '-', day) AS DATE) END AS flight_date,
    carrier,
    flight,
    origin,
    dest,
    tailnum,
    CASE WHEN sched_dep_time BETWEEN 0 AND 2400 AND sched_dep_time % 100 < 60
      THEN (sched_dep_time div 100) * 60 + sched_dep_time % 100 END AS departure_minute,
    CASE WHEN sched_arr_time BETWEEN 0 AND 2400 AND sched_arr_time % 100 < 60
      THEN (sched_arr_time div 100) * 60 + sched_arr_time % 100 END AS arrival_minute,
    dep_time,
    dep_delay,
    arr_delay,
    air_time,
    distance,
    delivery_kind,
    delivered_on
  FROM bronze.departures
)
SELECT
  flight_date,
  carrier,
  flight,
  origin,
  dest,
  tailnum,
  to_utc_timestamp(
    CAST(flight_date AS TIMESTAMP) + make_dt_interval(0, 0, departure_minute), 'America/New_York'
  ) AS scheduled_departure_at,
  CASE WHEN dep_time IS NOT NULL THEN scheduled_departure_at + make_dt_interval(0, 0, dep_delay) END AS departed_at,
  dep_delay,
  -- Every flight takes longer than the time difference on its way west, so an earlier clock time is on the next day.
  CAST(flight_date AS TIMESTAMP_NTZ)
    + make_dt_interval(CASE WHEN arrival_minute < departure_minute THEN 1 ELSE 0 END, 0, arrival_minute)
    AS scheduled_arrival_local,
  scheduled_arrival_local + make_dt_interval(0, 0, arr_delay) AS arrived_local,
  arr_delay,
  air_time,
  distance,
  CASE delivery_kind WHEN 'actual' THEN true WHEN 'schedule' THEN false END AS has_actuals,
  delivered_on
FROM delivered
