SELECT user_id, email, country, city, valid_from
FROM silver.users
WHERE is_current
