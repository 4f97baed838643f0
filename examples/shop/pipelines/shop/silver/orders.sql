SELECT order_id, user_id, status, placed_at, changed_at, items
FROM bronze.checkouts
