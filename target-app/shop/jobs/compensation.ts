/** What a policy's compensation is worth: `flat:N` won, or `rate:P%` of what was captured, rounded down. */

/** The campaign whose coupons are compensations. */
export const COMPENSATION_CAMPAIGN = "compensation";

const FORM = /^(?:flat:(\d{1,9})|rate:(\d{1,2}(?:\.\d{1,2})?)%)$/;

/** KRW, as an SQL expression over `captured` (our own column name); figures travel as parameters. NULL gives nothing. */
export function compensationSql(
  compensation: string | null,
  captured: string,
  parameters: unknown[],
): string {
  if (compensation === null) return "0::bigint";
  const match = FORM.exec(compensation);
  if (match === null)
    throw new Error(`expected a compensation flat:N or rate:P%, but came ${compensation}`);
  const [, flat, rate] = match;
  // numeric, not float: 10 % of a sum must not end a won short
  return flat !== undefined
    ? `$${parameters.push(flat)}::bigint`
    : `floor(${captured} * $${parameters.push(rate)}::numeric / 100)::bigint`;
}
