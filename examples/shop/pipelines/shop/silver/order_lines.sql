WITH lines AS (
    SELECT order_id, user_id, status, placed_at, changed_at, explode(items) AS item
    FROM silver.orders
)
SELECT order_id, item.product_id, item.quantity, user_id, status, placed_at, changed_at
FROM lines
