-- Who could be treated alike or differently.
SELECT id, name, identity_hash, has_refund_account FROM members
