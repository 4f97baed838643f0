SELECT
    l.order_id,
    l.product_id,
    l.user_id,
    CAST(l.placed_at AS date) AS order_date,
    l.status,
    u.country,
    p.category,
    l.quantity,
    p.price,
    l.quantity * p.price AS amount,
    l.placed_at,
    l.changed_at
FROM silver.order_lines AS l
LEFT JOIN silver.products AS p
    ON l.product_id = p.product_id
    AND l.placed_at >= p.valid_from
    AND (l.placed_at < p.valid_to OR p.is_current)
LEFT JOIN silver.users AS u
    ON l.user_id = u.user_id
    AND l.placed_at >= u.valid_from
    AND (l.placed_at < u.valid_to OR u.is_current)
