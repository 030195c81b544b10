/** What a heat map says, in a sentence. */

import { percent } from "../view/format.js";

/** @typedef {import("./answer.js").Explanation} Explanation */

/** A fall that is worth naming, as a share of 1. */
const WORTH_NAMING = 0.02;

const ACROSS = ["left", "middle", "right"];
/** @type {Readonly<Record<string, string>>} */
const PLACES = {
  "upper left": "the upper left",
  "upper middle": "the upper middle",
  "upper right": "the upper right",
  "middle left": "the left side",
  "middle middle": "the centre",
  "middle right": "the right side",
  "lower left": "the lower left",
  "lower middle": "the lower middle",
  "lower right": "the lower right",
};

/**
 * @param {Explanation} explanation
 * @param {boolean} mirrored whether the pictures are shown as in a mirror
 */
export function inWords({ label, probability, grid }, mirrored) {
  const gives = `The model gives this face ${percent(probability)} ${label}.`;
  const { fall, row, column } = strongest(grid);
  if (fall < WORTH_NAMING) {
    const all = "No single part decides it: with any one part blurred, that hardly changes.";
    return `${gives} ${all} Bright parts speak for it most.`;
  }
  const place = placeName(row, column, grid.length, grid[0]?.length ?? 1, mirrored);
  const left = percent(Math.max(0, probability - fall));
  return `${gives} Bright parts count most: with ${place} blurred, that falls to about ${left}.`;
}

/**
 * Where the probability falls most.
 *
 * @param {readonly (readonly number[])[]} grid
 */
export function strongest(grid) {
  let found = { fall: -Infinity, row: 0, column: 0 };
  grid.forEach((falls, row) => falls.forEach((fall, column) => {
    if (fall > found.fall) found = { fall, row, column };
  }));
  return found;
}

/**
 * @param {number} row
 * @param {number} column
 * @param {number} rows
 * @param {number} columns
 * @param {boolean} mirrored
 */
function placeName(row, column, rows, columns, mirrored) {
  const down = ["upper", "middle", "lower"][third(row, rows)];
  const shown = mirrored ? columns - 1 - column : column;
  return PLACES[`${down} ${ACROSS[third(shown, columns)]}`] ?? "that part";
}

/**
 * @param {number} index
 * @param {number} count
 */
function third(index, count) {
  return Math.floor((3 * (index + 0.5)) / count);
}
