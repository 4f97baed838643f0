SELECT 'click' AS kind, click_id AS event_id, user_id, channel, clicked_at AS happened_at
FROM silver.clicks
UNION ALL
SELECT 'order', CAST(order_id AS string), user_id, NULL, placed_at
FROM silver.orders
WHERE status = 'placed'
UNION ALL
SELECT 'payment', CAST(payment_id AS string), user_id, NULL, paid_at
FROM silver.payments
WHERE status = 'paid'
