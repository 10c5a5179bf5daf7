/** A fresh coupon code, as SQL: 60 random bits in hex. 120,000 of them collide with a chance of 1 in 160 million. */
export const COUPON_CODE_SQL = "upper(left(replace(gen_random_uuid()::text, '-', ''), 16))";
