/** What the gateway says over `fer.v1`: types, and a parser that lets nothing malformed through. */

/** @typedef {{ x: number, y: number, width: number, height: number }} Box fractions (0..1) of the picture */
/**
 * @typedef {{
 *   id: number, box: Box, label: string, confidence: number, probabilities: number[],
 *   uncertain: boolean, reasons: string[],
 * }} Face `reasons` tell why it is uncertain, such as `too_dark`
 */
/** @typedef {{ name: string, version: string, labels: string[] }} Card the part of a model card that the page uses */
/** @typedef {{ title: string, status: number, detail: string, code: string }} Problem RFC 9457 */

/** @typedef {{ type: "ready", card: Card, window: number }} Ready */
/**
 * @typedef {{
 *   type: "result", seq: number, captured_ms: number, width: number, height: number,
 *   faces: Face[], dropped: number, credits: number,
 * }} Result faces are sorted by size, largest first
 */
/** @typedef {{ type: "grant", credits: number }} Grant */
/** @typedef {{ type: "error", problem: Problem, seq: number | null, credits: number }} Failure */
/** @typedef {Ready | Result | Grant | Failure} Message */

/** A message that does not follow `fer.v1`. */
export class MalformedMessage extends Error {}

/**
 * Parse one text message of the gateway.
 *
 * @param {unknown} data the `data` of a WebSocket message event
 * @returns {Message | null} null for a type this page does not know, which a newer gateway may send
 * @throws {MalformedMessage}
 */
export function parseMessage(data) {
  const message = record(parseJson(data), "message");
  switch (text(message, "type")) {
    case "ready":
      return { type: "ready", card: parseCard(message["card"]), window: count(message, "window") };
    case "result":
      return parseResult(message);
    case "grant":
      return { type: "grant", credits: count(message, "credits") };
    case "error":
      return {
        type: "error",
        problem: parseProblem(message["problem"]),
        seq: message["seq"] == null ? null : count(message, "seq"),
        credits: message["credits"] == null ? 0 : count(message, "credits"),
      };
    default:
      return null;
  }
}

/**
 * @param {unknown} value
 * @returns {Card}
 * @throws {MalformedMessage}
 */
export function parseCard(value) {
  const card = record(value, "card");
  const labels = list(card, "labels").map((label) => {
    if (typeof label !== "string") throw new MalformedMessage("`labels` holds something that is no text");
    return label;
  });
  if (labels.length < 2) throw new MalformedMessage("`labels` has fewer than two entries");
  return { name: text(card, "name"), version: text(card, "version"), labels };
}

/**
 * @param {Record<string, unknown>} message
 * @returns {Result}
 */
function parseResult(message) {
  return {
    type: "result",
    seq: count(message, "seq"),
    captured_ms: number(message, "captured_ms"),
    width: count(message, "width"),
    height: count(message, "height"),
    faces: list(message, "faces").map(parseFace),
    dropped: count(message, "dropped"),
    credits: count(message, "credits"),
  };
}

/**
 * @param {unknown} value
 * @returns {Face}
 */
function parseFace(value) {
  const face = record(value, "face");
  const box = record(face["box"], "box");
  return {
    id: count(face, "id"),
    box: { x: number(box, "x"), y: number(box, "y"), width: number(box, "width"), height: number(box, "height") },
    label: text(face, "label"),
    confidence: number(face, "confidence"),
    probabilities: list(face, "probabilities").map((probability) => {
      if (typeof probability !== "number") throw new MalformedMessage("`probabilities` holds something that is no number");
      return probability;
    }),
    uncertain: flag(face, "uncertain"),
    reasons: list(face, "reasons").map((reason) => {
      if (typeof reason !== "string") throw new MalformedMessage("`reasons` holds something that is no text");
      return reason;
    }),
  };
}

/**
 * @param {unknown} value
 * @returns {Problem}
 */
function parseProblem(value) {
  const problem = record(value, "problem");
  return {
    title: text(problem, "title"),
    status: number(problem, "status"),
    detail: text(problem, "detail"),
    code: text(problem, "code"),
  };
}

/**
 * @param {unknown} data
 * @returns {unknown}
 */
function parseJson(data) {
  if (typeof data !== "string") throw new MalformedMessage("a binary message, where text was expected");
  try {
    return JSON.parse(data);
  } catch (error) {
    throw new MalformedMessage("a message that is no JSON", { cause: error });
  }
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {Record<string, unknown>}
 */
export function record(value, name) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new MalformedMessage(`\`${name}\` is no object`);
  }
  return /** @type {Record<string, unknown>} */ (value);
}

/**
 * @param {Record<string, unknown>} source
 * @param {string} key
 */
export function text(source, key) {
  const value = source[key];
  if (typeof value !== "string") throw new MalformedMessage(`\`${key}\` is no text`);
  return value;
}

/**
 * @param {Record<string, unknown>} source
 * @param {string} key
 */
export function number(source, key) {
  const value = source[key];
  if (typeof value !== "number") throw new MalformedMessage(`\`${key}\` is no number`);
  return value;
}

/**
 * @param {Record<string, unknown>} source
 * @param {string} key
 */
function flag(source, key) {
  const value = source[key];
  if (typeof value !== "boolean") throw new MalformedMessage(`\`${key}\` is neither true nor false`);
  return value;
}

/**
 * @param {Record<string, unknown>} source
 * @param {string} key
 */
function count(source, key) {
  const value = number(source, key);
  if (!Number.isInteger(value) || value < 0) throw new MalformedMessage(`\`${key}\` is no whole number from 0`);
  return value;
}

/**
 * @param {Record<string, unknown>} source
 * @param {string} key
 * @returns {unknown[]}
 */
export function list(source, key) {
  const value = source[key];
  if (!Array.isArray(value)) throw new MalformedMessage(`\`${key}\` is no list`);
  return value;
}
