/** What the live view decides by itself: pace, stalled cameras, who is who, the last minute. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { faceHistory, liveFaces, SPAN_MS } from "../../web/live/answers.js";
import { makeStall } from "../../web/live/cameras.js";
import { makePace } from "../../web/live/sender.js";

describe("Pace", () => {
  /** @type {[string, [roundTripMs: number, forMs: number][], number][]} */
  const table = [
    ["starts with large frames", [], 480],
    ["keeps them while answers are quick", [[40, 30_000]], 480],
    ["keeps them while answers are neither slow nor quick", [[200, 30_000]], 480],
    ["is patient for two seconds", [[400, 1900]], 480],
    ["then sends smaller ones", [[400, 2100]], 400],
    ["and smaller still", [[400, 4300]], 320],
    ["but never smaller than that", [[400, 30_000]], 320],
    ["is not impressed by one late answer", [[40, 3000], [900, 100], [40, 3000]], 480],
    ["waits before it tries larger ones", [[400, 4300], [40, 3900]], 320],
    ["goes one step up", [[400, 4300], [40, 5000]], 400],
    ["and all the way", [[400, 4300], [40, 9000]], 480],
    ["stays between the two bounds", [[400, 4300], [200, 30_000]], 320],
    ["waits twice as long after larger ones failed", [[400, 4300], [40, 5000], [400, 2600], [40, 7000]], 320],
    ["and then tries again", [[400, 4300], [40, 5000], [400, 2600], [40, 9000]], 400],
  ];
  for (const [name, answers, widthPx] of table) {
    test(name, () => {
      const pace = makePace();
      let nowMs = 0;
      for (const [roundTripMs, forMs] of answers) {
        for (const untilMs = nowMs + forMs; nowMs < untilMs; nowMs += 100) pace.answered(roundTripMs, nowMs);
      }
      assert.equal(pace.step.widthPx, widthPx);
    });
  }

  test("sends smaller frames less often", () => {
    const pace = makePace();
    const before = pace.step.leastGapMs;
    for (let nowMs = 0; nowMs < 3000; nowMs += 100) pace.answered(400, nowMs);
    assert.ok(pace.step.leastGapMs > before);
  });
});

describe("Stall", () => {
  /** @param {Stall} stall @param {(nowMs: number) => number} position @param {[number, number]} span */
  const due = (stall, position, [fromMs, toMs]) => {
    const times = [];
    for (let nowMs = fromMs; nowMs <= toMs; nowMs += 500) if (stall.isDue(position(nowMs), nowMs)) times.push(nowMs);
    return times;
  };

  test("is not due while pictures come", () => {
    assert.deepEqual(due(makeStall(), (nowMs) => nowMs, [0, 10_000]), []);
  });

  test("is due after two seconds without one, then ever later", () => {
    assert.deepEqual(due(makeStall(), () => 7, [0, 50_000]), [2000, 6000, 14_000, 30_000, 46_000]);
  });

  test("a picture makes it quick again, opening alone does not", () => {
    const stall = makeStall();
    due(stall, () => 7, [0, 2000]);
    stall.restart();
    assert.deepEqual(due(stall, () => 0, [2500, 7000]), [6500]);
    stall.restart();
    assert.deepEqual(due(stall, (nowMs) => Math.min(nowMs, 8000), [7500, 10_500]), [10_000]);
  });

  test("a page that slept does not blame the camera", () => {
    const stall = makeStall();
    due(stall, () => 7, [0, 1000]);
    assert.equal(stall.isDue(7, 90_000), false);
    assert.deepEqual(due(stall, () => 7, [90_500, 92_500]), [92_000]);
  });
});

describe("the face that is shown", () => {
  const faces = [faceAt(4, 0.1), faceAt(2, 0.6)];
  /** @type {[string, number[], Face[], number | undefined, boolean][]} */
  const table = [
    ["the largest without a choice", [], faces, 4, false],
    ["the chosen one", [2], faces, 2, true],
    ["the largest again after a second choice of the same", [2, 2], faces, 4, false],
    ["the largest while the chosen one is away", [9], faces, 4, false],
    ["nobody", [2], [], undefined, false],
  ];
  for (const [name, choices, among, id, isChosen] of table) {
    test(name, () => {
      const live = liveFaces();
      choices.forEach((choice) => live.choose(choice));
      const found = live.shown(among);
      assert.deepEqual([found.face?.id, found.isChosen], [id, isChosen]);
    });
  }
});

describe("ids over a change of the frames' size", () => {
  const before = resultOf(480, 0, [faceAt(0, 0.1), faceAt(1, 0.6)]);
  /** @type {[string, Result, number[]][]} */
  const table = [
    ["the same size keeps what the gateway says", resultOf(480, 100, [faceAt(5, 0.1)]), [5]],
    ["a smaller size", resultOf(320, 100, [faceAt(2, 0.62), faceAt(3, 0.12)]), [1, 0]],
    ["someone new", resultOf(320, 100, [faceAt(2, 0.35), faceAt(3, 0.1)]), [2, 0]],
    ["two on one place", resultOf(320, 100, [faceAt(2, 0.6), faceAt(3, 0.62)]), [1, 3]],
    ["another shape: the phone was turned", { ...resultOf(320, 100, [faceAt(2, 0.1)]), height: 480 }, [2]],
    ["too long ago", resultOf(320, 5000, [faceAt(2, 0.1)]), [2]],
  ];
  for (const [name, after, ids] of table) {
    test(name, () => {
      const live = liveFaces();
      live.take(before, 0);
      assert.deepEqual(live.take(after, 100).faces.map((face) => face.id), ids);
      const next = live.take({ ...after, captured_ms: after.captured_ms + 50 }, 150);
      assert.deepEqual(next.faces.map((face) => face.id), ids);
      live.clear();
      assert.deepEqual(live.take(after, 200).faces, after.faces);
    });
  }

  test("a face that is not found at once", () => {
    const live = liveFaces();
    live.take(before, 0);
    live.take(resultOf(320, 100, []), 100);
    live.take(resultOf(320, 150, [faceAt(2, 0.6)]), 150);
    const found = live.take(resultOf(320, 200, [faceAt(2, 0.6), faceAt(3, 0.1)]), 200);
    assert.deepEqual(found.faces.map((face) => face.id), [1, 0]);
  });

  test("over two changes", () => {
    const live = liveFaces();
    live.take(before, 0);
    live.take(resultOf(320, 100, [faceAt(2, 0.6)]), 100);
    assert.deepEqual(live.take(resultOf(480, 200, [faceAt(3, 0.6)]), 200).faces.map((face) => face.id), [1]);
  });
});

describe("History", () => {
  test("has a gap where a face was away", () => {
    const history = faceHistory();
    history.add([faceAt(0, 0.1), faceAt(1, 0.6)], 0);
    history.add([faceAt(1, 0.6)], 100);
    history.add([faceAt(1, 0.6)], 200);
    history.add([faceAt(0, 0.1)], 300);
    assert.deepEqual(history.of(0).map((point) => [point.atMs, point.probabilities !== null]), [
      [0, true], [100, false], [300, true],
    ]);
    assert.equal(history.of(7).length, 0);
  });

  test("keeps a minute and no more, of faces that are there and of those that left", () => {
    const history = faceHistory();
    history.add([faceAt(9, 0.6)], 0);
    for (let atMs = 0; atMs <= 3 * SPAN_MS; atMs += 100) history.add([faceAt(0, 0.1)], atMs);
    const points = history.of(0);
    assert.ok(points.length <= (SPAN_MS + 5100) / 100 + 1, `${points.length} points`);
    assert.ok((points[0]?.atMs ?? Infinity) <= 2 * SPAN_MS, "the minute is not whole");
    assert.equal(history.of(9).length, 0);
  });
});

/** @param {number} id @param {number} x @returns {Face} */
function faceAt(id, x) {
  const box = { x, y: 0.2, width: 0.2, height: 0.3 };
  return { id, box, label: "neutral", confidence: 1, probabilities: [1, 0], uncertain: false, reasons: [] };
}

/** @param {number} width @param {number} capturedMs @param {Face[]} faces @returns {Result} */
function resultOf(width, capturedMs, faces) {
  const seq = capturedMs;
  return { type: "result", seq, captured_ms: capturedMs, width, height: 0.75 * width, faces, dropped: 0, credits: 1 };
}
