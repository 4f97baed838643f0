SELECT id, customer, status, amount, changed_at
FROM bronze.orders
