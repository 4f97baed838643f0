SELECT product_id, name, category, price, valid_from
FROM silver.products
WHERE is_current
