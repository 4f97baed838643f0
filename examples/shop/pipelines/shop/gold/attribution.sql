WITH windows AS (
    SELECT
        kind,
        event_id,
        user_id,
        happened_at,
        min(CASE WHEN kind = 'click' THEN struct(happened_at, event_id, channel) END) OVER seven_days AS first_click,
        max(CASE WHEN kind = 'click' THEN struct(happened_at, event_id, channel) END) OVER seven_days AS last_click,
        count_if(kind = 'click') OVER seven_days AS clicks
    FROM silver.touches
    WINDOW seven_days AS (
        PARTITION BY user_id ORDER BY happened_at RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND CURRENT ROW
    )
)
SELECT
    CAST(event_id AS bigint) AS order_id,
    user_id,
    CAST(happened_at AS date) AS order_date,
    first_click.channel AS first_channel,
    last_click.channel AS last_channel,
    clicks
FROM windows
WHERE kind = 'order'
