SELECT payment_id, order_id, user_id, CAST(cents AS decimal(11,0)) / 100 AS amount, method, status, paid_at, revision
FROM bronze.payments
