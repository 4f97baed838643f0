WITH users AS (
    SELECT
        CAST(happened_at AS date) AS day,
        user_id,
        bool_or(kind = 'click') AS looked,
        bool_or(kind = 'order') AS ordered,
        bool_or(kind = 'payment') AS paid
    FROM silver.touches
    GROUP BY CAST(happened_at AS date), user_id
)
SELECT
    day,
    count_if(looked) AS looked,
    count_if(looked AND ordered) AS ordered,
    count_if(looked AND ordered AND paid) AS paid
FROM users
GROUP BY day
