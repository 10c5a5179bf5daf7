-- Refunds, one or a thousand, in one call. `asked` is [{payment_id?, order_id?, amount, idempotency_key, account}, …].
-- The captures are locked first; the second statement then takes a fresh snapshot (READ COMMITTED), so two callers
-- cannot both see the same remainder. `failing_rail` is the bank whose refund side is down, or NULL.
CREATE FUNCTION refund(asked jsonb, failing_rail text)
RETURNS TABLE (idempotency_key text, result text, refund_id text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM 1 FROM payments p
  WHERE p.id IN (SELECT c.id FROM jsonb_array_elements(asked) a JOIN payments c ON c.id = a->>'payment_id'
                 UNION SELECT c.id FROM jsonb_array_elements(asked) a JOIN payments c ON c.order_id = a->>'order_id'
                 WHERE c.kind = 'capture')
  ORDER BY p.id FOR UPDATE;

  RETURN QUERY
  WITH item AS (
    SELECT n, a->>'idempotency_key' AS key, (a->>'amount')::bigint AS amount, (a->>'account')::boolean AS account,
           a->>'payment_id' AS payment_id, a->>'order_id' AS order_id
    FROM jsonb_array_elements(asked) WITH ORDINALITY AS e(a, n)
  ), placed AS (
    SELECT item.*, target.*, earlier.id AS earlier_id, earlier.amount AS earlier_amount, earlier.parent_id AS earlier_parent
    FROM item
    LEFT JOIN payments earlier ON earlier.kind = 'refund' AND earlier.idempotency_key = item.key
    -- An order charged twice has two captures; its refund goes to the one with most left.
    LEFT JOIN LATERAL (
      SELECT c.id AS capture_id, c.order_id AS capture_order, c.merchant_ref, c.rail, c.notify_url,
             c.amount - COALESCE((SELECT sum(r.amount) FROM payments r WHERE r.parent_id = c.id AND r.kind IN ('refund', 'void')), 0) AS remaining
      FROM payments c
      WHERE c.kind = 'capture' AND c.result = 'ok'
        AND (c.id = item.payment_id OR (item.payment_id IS NULL AND c.order_id = item.order_id))
      ORDER BY remaining DESC, c.id LIMIT 1
    ) target ON true
  ), judged AS (
    SELECT placed.*,
      CASE
        WHEN earlier_id IS NOT NULL AND earlier_amount = amount THEN 'earlier'
        WHEN earlier_id IS NOT NULL THEN 'key_reused'
        WHEN capture_id IS NULL THEN 'unknown_payment'
        WHEN NOT account THEN 'no_refund_account'
        WHEN rail = failing_rail THEN 'rail_unavailable'
        ELSE 'try'
      END AS verdict
    FROM placed
  ), bounded AS (
    SELECT judged.*,
      CASE WHEN verdict = 'try' AND sum(amount) FILTER (WHERE verdict = 'try') OVER (PARTITION BY capture_id ORDER BY n) > remaining
        THEN 'exceeds_captured' ELSE verdict END AS final
    FROM judged
  ), made AS (
    INSERT INTO payments (id, parent_id, order_id, merchant_ref, kind, amount, result, idempotency_key, rail, notify_url)
    SELECT 'ref_' || gen_random_uuid(), capture_id, capture_order, merchant_ref, 'refund', amount, 'ok', key, rail, notify_url
    FROM bounded WHERE final = 'try'
    RETURNING id, payments.idempotency_key, payments.notify_url
  ), told AS (
    INSERT INTO webhook_events (event_id, type, payment_id, notify_url)
    SELECT 'evt_' || gen_random_uuid(), 'refund.done', made.id, made.notify_url FROM made WHERE made.notify_url IS NOT NULL
  )
  SELECT bounded.key, CASE WHEN final IN ('try', 'earlier') THEN 'ok' ELSE final END, COALESCE(earlier_id, made.id)
  FROM bounded LEFT JOIN made ON made.idempotency_key = bounded.key AND final = 'try'
  ORDER BY n;
END $$;

-- Gives a whole capture back before any refund of it. Repeating it gives the first void's id.
CREATE FUNCTION void_payment(wanted text) RETURNS TABLE (result text, void_id text)
LANGUAGE plpgsql AS $$
DECLARE
  target payments;
  made text;
BEGIN
  SELECT * INTO target FROM payments WHERE id = wanted AND kind IN ('capture', 'authorize') FOR UPDATE;
  IF NOT FOUND THEN RETURN QUERY SELECT 'unknown_payment', NULL::text; RETURN; END IF;
  SELECT id INTO made FROM payments WHERE parent_id = wanted AND kind = 'void';
  IF FOUND THEN RETURN QUERY SELECT 'ok', made; RETURN; END IF;
  IF EXISTS (SELECT 1 FROM payments WHERE parent_id = wanted AND kind = 'refund') THEN
    RETURN QUERY SELECT 'already_refunded', NULL::text; RETURN;
  END IF;
  IF EXISTS (SELECT 1 FROM payments WHERE parent_id = wanted AND kind = 'capture') THEN
    RETURN QUERY SELECT 'already_captured', NULL::text; RETURN;
  END IF;
  made := 'void_' || gen_random_uuid();
  INSERT INTO payments (id, parent_id, order_id, merchant_ref, kind, amount, result, rail)
  VALUES (made, wanted, target.order_id, target.merchant_ref, 'void', target.amount, 'ok', target.rail);
  RETURN QUERY SELECT 'ok', made;
END $$;
