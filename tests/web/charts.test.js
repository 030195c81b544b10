/** Timelines: what is drawn where, in numbers, on a canvas that writes down. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { drawTimeline, indexAt, markOf } from "../../web/charts/timeline.js";

const SIZE = { width: 100, height: 53.5 }; // 50 px between the two margins of a line's width

/** @typedef {Parameters<typeof drawTimeline>[2]} Content */

/**
 * What reached the canvas: a text for each line and mark.
 *
 * @param {Partial<Content>} content
 */
function drawn(content) {
  /** @type {string[]} */
  const steps = [];
  const canvas = {
    clearRect() {},
    beginPath() {},
    stroke() {},
    moveTo: (/** @type {number} */ x, /** @type {number} */ y) => steps.push(`move ${x} ${y}`),
    lineTo: (/** @type {number} */ x, /** @type {number} */ y) => steps.push(`line ${x} ${y}`),
    fillText: (/** @type {string} */ text, /** @type {number} */ x) => steps.push(`${text} ${x}`),
  };
  const context = /** @type {CanvasRenderingContext2D} */ (/** @type {unknown} */ (canvas));
  drawTimeline(context, SIZE, { labels: ["a"], colours: ["red"], samples: [], fromMs: 0, toMs: 1000, ...content });
  const isLine = (/** @type {string} */ step) => /^(move|line)/.test(step);
  return { lines: steps.filter(isLine), marks: steps.filter((step) => !isLine(step)) };
}

/** @param {[number, number | null][]} points time and share of the only class */
function samples(...points) {
  return points.map(([atMs, share]) => ({ atMs, probabilities: share === null ? null : [share] }));
}

describe("drawTimeline", () => {
  /** @type {[string, Partial<Content>, string[]][]} */
  const table = [
    ["nothing", {}, []],
    ["0 below, 1 above", { samples: samples([0, 0], [1000, 1]) }, ["move 0 51.75", "line 100 1.75"]],
    ["a gap", { samples: samples([0, 0], [200, 0], [400, null], [600, 0], [800, 0]) },
      ["move 0 51.75", "line 20 51.75", "move 60 51.75", "line 80 51.75"]],
    ["neighbours outside, so that lines reach the edges",
      { samples: samples([0, 0], [1000, 0], [2000, 0], [3000, 0]), fromMs: 1500, toMs: 1600 },
      ["move -500 51.75", "line 500 51.75"]],
    ["samples of the same pixel as their mean", { samples: samples([0, 0], [5, 1], [10, 0.5], [500, 1]) },
      ["move 0.5 26.75", "line 50 1.75"]],
    ["a gap within a pixel is a gap", { samples: samples([0, 0], [5, null], [10, 0]) }, ["move 0 51.75", "move 1 51.75"]],
  ];
  for (const [name, content, expected] of table) {
    test(name, () => assert.deepEqual(drawn(content).lines, expected));
  }

  test("marks stand at fixed times and move with the line", () => {
    const steady = samples([0, 0.5], [5000, 0.5]);
    assert.deepEqual(drawn({ samples: steady }).marks, ["● 0", "● 20", "● 40", "● 60", "● 80", "● 100"]);
    const later = drawn({ samples: steady, fromMs: 100, toMs: 1100 }).marks;
    assert.deepEqual(later, ["● 10", "● 30", "● 50", "● 70", "● 90"]);
  });

  test("marks end with the line", () => {
    assert.deepEqual(drawn({ samples: samples([0, 0.5], [500, 0.5]) }).marks, ["● 0", "● 20", "● 40"]);
  });

  test("what hardly counts is not marked", () => {
    assert.deepEqual(drawn({ samples: samples([0, 0.05], [1000, 0.05]) }).marks, []);
  });
});

test("the sample at a time is the last one until then", () => {
  const points = [{ atMs: 10 }, { atMs: 20 }, { atMs: 30 }];
  assert.deepEqual([0, 10, 15, 20, 30, 99].map((atMs) => indexAt(points, atMs)), [-1, 0, 0, 1, 2, 2]);
  assert.equal(indexAt([], 5), -1);
});

test("eight emotions have eight marks", () => {
  assert.equal(new Set(Array.from({ length: 8 }, (_, index) => markOf(index))).size, 8);
});
