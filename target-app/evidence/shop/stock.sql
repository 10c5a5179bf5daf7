-- What stood on the shelf at the start.
SELECT sku, initial FROM stock
