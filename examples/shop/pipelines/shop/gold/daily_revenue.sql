SELECT order_date, country, category, count(DISTINCT order_id) AS orders, sum(quantity) AS units, sum(amount) AS revenue
FROM gold.sales
WHERE status = 'placed'
GROUP BY order_date, country, category
