SELECT user_id, email, country, city, op, changed_at, seq
FROM bronze.users
