/** Every pair of colours that meets on the page, against WCAG 2.2: text 4.5 to 1 (AA), parts of graphics 3 to 1. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

const TEXT = 4.5;
const GRAPHICS = 3;

/** @type {[string, string, number][]} */
const PAIRS = [
  ["text", "ground", TEXT],
  ["text", "surface", TEXT],
  ["text-soft", "ground", TEXT],
  ["text-soft", "surface", TEXT],
  ["text-soft", "track", TEXT],
  ["on-accent", "accent", TEXT],
  ["on-accent", "accent-strong", TEXT],
  ["stage-text", "stage", TEXT],
  ["stage-soft", "stage", TEXT],
  ["stage-problem", "stage", TEXT],
  ["stage-text", "recording", TEXT],
  ["on-danger", "danger", TEXT],
  ["accent", "ground", GRAPHICS],
  ["accent", "surface", GRAPHICS],
  ["accent", "track", GRAPHICS],
  ["bar", "track", GRAPHICS],
  ["face-line", "stage", GRAPHICS],
  ["face-1", "stage", TEXT],
  ["face-2", "stage", TEXT],
  ["face-3", "stage", TEXT],
  ["face-4", "stage", TEXT],
  ["face-5", "stage", TEXT],
  ["face-6", "stage", TEXT],
  ["good", "ground", GRAPHICS],
  ["wait", "ground", GRAPHICS],
  ["problem", "ground", GRAPHICS],
];

const EMOTIONS = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"];
for (const emotion of EMOTIONS) PAIRS.push([`emotion-${emotion}`, "surface", GRAPHICS]);

const css = readFileSync(new URL("../../web/styles/tokens.css", import.meta.url), "utf8");
const [light = "", dark = ""] = css.split("@media (prefers-color-scheme: dark)");
const themes = { light: colours(light), dark: new Map([...colours(light), ...colours(dark)]) };

for (const [theme, palette] of Object.entries(themes)) {
  describe(theme, () => {
    for (const [front, back, least] of PAIRS) {
      test(`${front} on ${back}`, () => {
        const ratio = contrast(palette.get(front) ?? "", palette.get(back) ?? "");
        assert.ok(ratio >= least, `${ratio.toFixed(2)} to 1, less than ${least}`);
      });
    }
  });
}

/** @param {string} rules @returns {Map<string, string>} hexadecimal colours by token */
function colours(rules) {
  return new Map([...rules.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name = "", colour = ""]) => [name, colour]));
}

/** @param {string} first @param {string} second */
function contrast(first, second) {
  const [high = 0, low = 0] = [luminance(first), luminance(second)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/** @param {string} colour relative luminance as WCAG defines it */
function luminance(colour) {
  assert.match(colour, /^#[0-9a-f]{6}$/);
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((start) => Number.parseInt(colour.slice(start, start + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
