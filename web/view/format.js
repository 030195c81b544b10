/** Numbers and answers as people read them. */

/** @typedef {import("../stream/messages.js").Face} Face */

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

/**
 * The emotion, with a question mark where it should not be relied on.
 *
 * @param {Pick<Face, "label" | "uncertain">} face
 */
export function emotionOf({ label, uncertain }) {
  return uncertain ? `${label}?` : label;
}

/**
 * How sure the answer is, and what keeps it from being so: `41%, too dark`.
 *
 * @param {Pick<Face, "confidence" | "uncertain" | "reasons">} face
 */
export function certaintyOf({ confidence, uncertain, reasons }) {
  if (!uncertain) return percent(confidence);
  const cause = reasons.find((reason) => reason !== "low_confidence") ?? "not_sure";
  return `${percent(confidence)}, ${cause.replaceAll("_", " ")}`;
}
