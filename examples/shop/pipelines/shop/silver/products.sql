SELECT product_id, name, category, price, _op AS op, _changed_at AS changed_at, _sequence AS position
FROM bronze.product_events
