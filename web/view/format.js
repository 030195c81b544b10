/** Numbers as people read them. */

export const NOTHING = "–";

/** @param {number} share 0..1 */
export function percent(share) {
  return `${Math.round(100 * share)}%`;
}

/** @param {number | null} value */
export function milliseconds(value) {
  return value === null ? NOTHING : `${Math.round(value)} ms`;
}

/** @param {number} value */
export function perSecond(value) {
  return value < 9.95 ? value.toFixed(1) : `${Math.round(value)}`;
}
