/** Explaining a face: what is cut out and sent, what may come back, and what is said about it. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { enlargement, ExplanationProblem, inWords, parseExplanation, regionAround, requestExplanation, strongest } from "../../web/explain/explainer.js";
import { sentFrames } from "../../web/live/answers.js";
import { MalformedMessage } from "../../web/stream/messages.js";
import { english } from "./english.js";

const words = await english();
const PNG = "data:image/png;base64,iVBORw0KGgo=";
const ANSWER = { label: "happiness", probability: 0.97, grid: [[0, 0.1], [-0.2, 0.4]], crop: PNG, heat_map: PNG };

describe("the part of a frame around a face", () => {
  const frame = { width: 480, height: 360 };

  test("has room on every side", () => {
    const box = { x: 0.4, y: 0.4, width: 0.2, height: 96 / 360 }; // 96 x 96 px at 192, 144
    assert.deepEqual(regionAround(box, frame), { left: 134, top: 86, width: 212, height: 212 });
  });

  /** @type {[string, Box][]} */
  const odd = [
    ["at the left edge", { x: 0, y: 0.4, width: 0.2, height: 0.2 }],
    ["at the lower right", { x: 0.9, y: 0.9, width: 0.1, height: 0.1 }],
    ["over the edges", { x: -0.5, y: -0.5, width: 2, height: 2 }],
    ["outside", { x: 3, y: 3, width: 0.1, height: 0.1 }],
    ["far outside on the other side", { x: -3, y: -3, width: 0.1, height: 0.1 }],
    ["without a size", { x: 1, y: 1, width: 0, height: 0 }],
  ];
  for (const [name, box] of odd) {
    test(`${name} it stays inside the frame`, () => {
      for (const size of [frame, { width: 1, height: 1 }]) {
        const { left, top, width, height } = regionAround(box, size);
        assert.ok(left >= 0 && top >= 0 && width >= 1 && height >= 1);
        assert.ok(left + width <= size.width && top + height <= size.height);
      }
    });
  }

  test("is enlarged where it is small, within reason, and never shrunk", () => {
    const region = { left: 0, top: 0, width: 120, height: 160 };
    assert.equal(enlargement(region), 2);
    assert.equal(enlargement({ ...region, width: 400, height: 300 }), 1);
    assert.equal(enlargement({ ...region, width: 1, height: 1 }), 4);
  });
});

describe("answers", () => {
  test("are read", () => {
    const { heat_map: heatMap, ...rest } = ANSWER;
    assert.deepEqual(parseExplanation({ ...ANSWER, face: {}, more: 1 }), { ...rest, heatMap });
  });

  /** @type {[string, unknown][]} */
  const wrong = [
    ["nothing", null],
    ["a list", []],
    ["no label", { ...ANSWER, label: undefined }],
    ["no grid", { ...ANSWER, grid: undefined }],
    ["an empty grid", { ...ANSWER, grid: [] }],
    ["an empty row", { ...ANSWER, grid: [[]] }],
    ["a row of words", { ...ANSWER, grid: [["a"]] }],
    ["a picture from elsewhere", { ...ANSWER, crop: "https://evil.example/x.png" }],
    ["a picture that is a script", { ...ANSWER, heat_map: "data:image/svg+xml;base64,AAAA" }],
  ];
  for (const [name, value] of wrong) {
    test(`${name} is malformed`, () => assert.throws(() => parseExplanation(value), MalformedMessage));
  }
});

describe("asking", () => {
  const jpeg = new Blob(["x"]);
  const { signal } = new AbortController();
  /** @param {unknown} body @param {number} status */
  const answering = (body, status = 200) => () => Promise.resolve(Response.json(body, { status }));
  /** @param {unknown} error */
  const failing = (error) => () => Promise.reject(error);

  test("sends the picture and the label, and gives the answer", async () => {
    /** @type {unknown[]} */
    let asked = [];
    const explanation = await requestExplanation((...all) => {
      asked = all;
      return Promise.resolve(Response.json(ANSWER));
    }, jpeg, "happiness", signal, words);
    assert.deepEqual(asked, [jpeg, "happiness", signal]);
    assert.equal(explanation.probability, 0.97);
  });

  /** @param {string} code */
  const problem = (code) => ({ title: "A title", status: 422, detail: "A detail.", code });
  /** @type {[string, AskWhy, RegExp][]} */
  const table = [
    ["no connection", failing(new TypeError("failed to fetch")), /can't be reached.*choose the face again/],
    ["no answer in time", failing(new DOMException("late", "TimeoutError")), /can't be reached/],
    ["a proxy's page", () => Promise.resolve(new Response("<html>", { status: 502 })), /made no sense.*reload/],
    ["another answer", answering({ label: 1 }), /made no sense/],
    ["no face", answering(problem("no_face_found"), 422), /did not find this face.*Resume/],
    ["a busy gateway", answering(problem("busy"), 503), /busy.*in a moment/],
    ["another problem", answering(problem("damaged_image"), 422), /^A title\. A detail\.$/],
    ["a problem without words", answering({}, 500), /made no sense/],
  ];
  for (const [name, ask, told] of table) {
    test(`${name} is told`, () => assert.rejects(
      requestExplanation(ask, jpeg, "happiness", signal, words),
      (error) => error instanceof ExplanationProblem && told.test(error.message),
    ));
  }

  test("faults of the page are not dressed up", () => assert.rejects(
    requestExplanation(failing(new RangeError("x")), jpeg, "happiness", signal, words), RangeError,
  ));
});

describe("a heat map in words", () => {
  const explanation = parseExplanation(ANSWER);

  /** @param {number} row @param {number} column @param {number} fall */
  function gridWith(row, column, fall) {
    const grid = Array.from({ length: 8 }, () => new Array(8).fill(-0.1));
    const cells = grid[row];
    if (cells) cells[column] = fall;
    return grid;
  }

  test("the strongest part is found", () => {
    assert.deepEqual(strongest(gridWith(6, 3, 0.5)), { fall: 0.5, row: 6, column: 3 });
    assert.deepEqual(strongest([[-0.3, -0.2]]), { fall: -0.2, row: 0, column: 1 });
  });

  /** @type {[number, number, boolean, string][]} */
  const places = [
    [6, 3, false, "the lower middle"],
    [6, 4, true, "the lower middle"],
    [0, 0, false, "the upper left"],
    [0, 0, true, "the upper right"],
    [2, 7, false, "the upper right"],
    [3, 3, false, "the centre"],
    [4, 1, true, "the right side"],
    [7, 5, false, "the lower right"],
  ];
  for (const [row, column, mirrored, place] of places) {
    test(`${row}, ${column}${mirrored ? " in a mirror" : ""} is ${place}`, () => {
      assert.equal(
        inWords(words, { ...explanation, grid: gridWith(row, column, 0.43) }, mirrored),
        `The model gives this face 97% happiness. Bright parts count most: with ${place} blurred, that falls to about 54%.`,
      );
    });
  }

  test("where nothing counts, nothing is named", () => {
    assert.match(inWords(words, { ...explanation, grid: gridWith(1, 1, 0.01) }, false), /^[^:]*No single part decides it/);
  });
});

describe("frames on their way", () => {
  /** @param {number} captured_ms */
  const result = (captured_ms) => ({
    type: /** @type {const} */ ("result"), seq: 0, captured_ms, width: 1, height: 1, faces: [], dropped: 0, credits: 1,
  });
  /** @param {string} words */
  const bytes = (words) => new TextEncoder().encode(words).buffer;
  /** @param {SentFrames} frames */
  const last = (frames) => frames.analysed;

  test("the analysed frame is the one that the result is of", async () => {
    const frames = sentFrames();
    assert.equal(last(frames), null);
    for (const capturedMs of [1.25, 2.5, 3.75]) frames.add(bytes(`${capturedMs}`), capturedMs);
    frames.answered(result(2.5));
    assert.equal(await last(frames)?.jpeg.text(), "2.5");
    assert.equal(last(frames)?.jpeg.type, "image/jpeg");
    frames.answered(result(3.75));
    assert.equal(await last(frames)?.jpeg.text(), "3.75");
  });

  test("a result of no known frame leaves none, and keeps those on their way", async () => {
    const frames = sentFrames();
    frames.add(bytes("a"), 1);
    frames.answered(result(99));
    assert.equal(last(frames), null);
    frames.answered(result(1));
    assert.equal(await last(frames)?.jpeg.text(), "a");
  });

  test("the memory they take is bounded", () => {
    const frames = sentFrames();
    for (let index = 0; index < 100; index += 1) frames.add(bytes("x"), index);
    frames.answered(result(10));
    assert.equal(last(frames), null); // long forgotten
    frames.answered(result(95));
    assert.notEqual(last(frames), null);
  });

  test("a clearing forgets all", () => {
    const frames = sentFrames();
    frames.add(bytes("a"), 1);
    frames.add(bytes("b"), 2);
    frames.answered(result(1));
    frames.clear();
    assert.equal(last(frames), null);
    frames.answered(result(2));
    assert.equal(last(frames), null);
  });
});
