-- What was bought, at which price.
SELECT order_id::text AS order_id, sku, qty::bigint AS qty, price FROM order_items
