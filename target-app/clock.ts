/** The sample services' only door to time: wall time for rows and people, monotonic time for measuring. */

/** Wall time in milliseconds since the epoch. */
export function nowMs(): number {
  return Date.now();
}

/** Monotonic milliseconds since an arbitrary origin, with fractions. */
export function monotonicMs(): number {
  return performance.now();
}
