/** Asking the gateway what an answer rests on, and reading what it says. */

import { list, MalformedMessage, number, record, text } from "../stream/messages.js";

/**
 * @typedef {{ label: string, probability: number, grid: number[][], crop: string, heatMap: string }} Explanation
 *   `grid` holds, for rows and columns of the face, by how much the probability falls where that part is blurred;
 *   the pictures are PNGs in `data:` URLs
 */
/** @typedef {(jpeg: Blob, label: string, signal: AbortSignal) => Promise<Response>} Ask */

/** Why there is no explanation, in words that say what to do. */
export class ExplanationProblem extends Error {}

const PNG = "data:image/png;base64,";

const UNREACHABLE = "The gateway can't be reached. Check that it runs and that this device is on its network, then "
  + "choose the face again.";
const SENSELESS = "The gateway's answer made no sense. Page and gateway may be of different versions: reload the page.";

/** What to do about problems whose own words are for programmers. */
/** @type {Readonly<Record<string, string>>} */
const ADVICE = {
  no_face_found: "The gateway did not find this face again. Resume, come nearer or turn to the camera, and pause again.",
  busy: "The gateway is busy. Choose the face again in a moment.",
  not_ready: "The gateway is starting or stopping. Choose the face again in a moment.",
};

/**
 * @param {Ask} ask
 * @param {Blob} jpeg
 * @param {string} label what the face is said to express
 * @param {AbortSignal} signal
 * @returns {Promise<Explanation>}
 * @throws {ExplanationProblem}
 */
export async function requestExplanation(ask, jpeg, label, signal) {
  try {
    const response = await ask(jpeg, label, signal);
    const body = /** @type {unknown} */ (await response.json());
    if (!response.ok) throw new ExplanationProblem(problemWords(body));
    return parseExplanation(body);
  } catch (error) {
    throw explanationProblem(error);
  }
}

/**
 * @param {unknown} value
 * @returns {Explanation}
 * @throws {MalformedMessage}
 */
export function parseExplanation(value) {
  const answer = record(value, "explanation");
  const grid = list(answer, "grid").map((row) => {
    if (!Array.isArray(row) || row.length === 0 || row.some((fall) => typeof fall !== "number")) {
      throw new MalformedMessage("`grid` holds something that is no row of numbers");
    }
    return /** @type {number[]} */ (row);
  });
  if (grid.length === 0) throw new MalformedMessage("`grid` is empty");
  return {
    label: text(answer, "label"),
    probability: number(answer, "probability"),
    grid,
    crop: picture(answer, "crop"),
    heatMap: picture(answer, "heat_map"),
  };
}

/**
 * @param {unknown} error what went wrong on the way
 * @returns {unknown} in words for people, where it was to be expected
 */
function explanationProblem(error) {
  if (error instanceof MalformedMessage || error instanceof SyntaxError) {
    return new ExplanationProblem(SENSELESS, { cause: error });
  }
  if (error instanceof TypeError || error instanceof DOMException) { // no connection, or took too long
    return new ExplanationProblem(UNREACHABLE, { cause: error });
  }
  return error;
}

/** @param {unknown} body RFC 9457 */
function problemWords(body) {
  const problem = record(body, "problem");
  return ADVICE[text(problem, "code")] ?? `${text(problem, "title")}. ${text(problem, "detail")}`;
}

/**
 * A picture that cannot lead anywhere else.
 *
 * @param {Record<string, unknown>} answer
 * @param {string} key
 */
function picture(answer, key) {
  const url = text(answer, key);
  if (!url.startsWith(PNG)) throw new MalformedMessage(`\`${key}\` is no PNG in a \`data:\` URL`);
  return url;
}
