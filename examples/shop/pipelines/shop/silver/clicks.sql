SELECT click_id, user_id, product_id, channel, clicked_at
FROM bronze.clicks
