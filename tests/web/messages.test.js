/** Messages of the gateway: good ones come through whole, malformed ones never do. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { MalformedMessage, parseCard, parseMessage } from "../../web/stream/messages.js";

const CARD = { name: "hybrid", version: "0.1.0", labels: ["neutral", "happiness"], parameters: 1 };
const FACE = {
  id: 0,
  box: { x: 0.25, y: 0.5, width: 0.125, height: 0.25 },
  landmarks: null,
  probabilities: [0.25, 0.75],
  label: "happiness",
  confidence: 0.75,
  uncertain: true,
  reasons: ["too_dark"],
  quality: null,
};
const RESULT = {
  type: "result",
  seq: 7,
  captured_ms: 12.5,
  width: 480,
  height: 360,
  faces: [FACE],
  timing: { total_ms: 9 },
  dropped: 3,
  credits: 1,
};
const PROBLEM = { type: "about:blank", title: "Damaged", status: 422, detail: "Cut off.", code: "damaged_image" };

describe("parseMessage", () => {
  test("ready", () => {
    assert.deepEqual(parseMessage(JSON.stringify({ type: "ready", card: CARD, window: 2 })), {
      type: "ready",
      card: { name: "hybrid", version: "0.1.0", labels: ["neutral", "happiness"] },
      window: 2,
    });
  });

  test("result keeps what the page uses", () => {
    const { landmarks: _1, quality: _2, ...face } = FACE;
    const { timing: _3, ...result } = RESULT;
    assert.deepEqual(parseMessage(JSON.stringify(RESULT)), { ...result, faces: [face] });
  });

  test("grant", () => {
    assert.deepEqual(parseMessage('{"type":"grant","credits":1}'), { type: "grant", credits: 1 });
  });

  test("model", () => {
    const { name, version, labels } = CARD;
    const message = parseMessage(JSON.stringify({ type: "model", card: CARD }));
    assert.deepEqual(message, { type: "model", card: { name, version, labels } });
  });

  test("error of a frame gives its credit back", () => {
    const message = parseMessage(JSON.stringify({ type: "error", problem: PROBLEM, seq: 4, credits: 1 }));
    const { type: _, ...problem } = PROBLEM;
    assert.deepEqual(message, { type: "error", problem, seq: 4, credits: 1 });
  });

  test("error of the connection has neither frame nor credit", () => {
    const message = parseMessage(JSON.stringify({ type: "error", problem: PROBLEM }));
    assert.ok(message?.type === "error" && message.seq === null && message.credits === 0);
  });

  test("an unknown type is skipped, so that a newer gateway can say more", () => {
    assert.equal(parseMessage('{"type":"weather"}'), null);
  });

  /** @type {[string, unknown][]} */
  const malformed = [
    ["binary", new ArrayBuffer(4)],
    ["no JSON", "{"],
    ["a list", "[]"],
    ["null", "null"],
    ["no type", "{}"],
    ["ready without card", '{"type":"ready","window":2}'],
    ["model with one label", JSON.stringify({ type: "model", card: { ...CARD, labels: ["neutral"] } })],
    ["negative credits", '{"type":"grant","credits":-1}'],
    ["half a credit", '{"type":"grant","credits":0.5}'],
    ["result without faces", JSON.stringify({ ...RESULT, faces: undefined })],
    ["a face that is a number", JSON.stringify({ ...RESULT, faces: [1] })],
    ["a face without box", JSON.stringify({ ...RESULT, faces: [{ ...FACE, box: undefined }] })],
    ["a box with text", JSON.stringify({ ...RESULT, faces: [{ ...FACE, box: { ...FACE.box, x: "0" } }] })],
    ["probabilities with null", JSON.stringify({ ...RESULT, faces: [{ ...FACE, probabilities: [null, 1] }] })],
    ["a face that says not whether it is certain", JSON.stringify({ ...RESULT, faces: [{ ...FACE, uncertain: 1 }] })],
    ["a face without reasons", JSON.stringify({ ...RESULT, faces: [{ ...FACE, reasons: undefined }] })],
    ["a reason that is a number", JSON.stringify({ ...RESULT, faces: [{ ...FACE, reasons: [1] }] })],
    ["error without problem", '{"type":"error"}'],
  ];
  for (const [name, data] of malformed) {
    test(`refuses ${name}`, () => assert.throws(() => parseMessage(data), MalformedMessage));
  }
});

describe("parseCard", () => {
  test("refuses a single label", () => {
    assert.throws(() => parseCard({ ...CARD, labels: ["neutral"] }), MalformedMessage);
  });

  test("refuses labels that are no text", () => {
    assert.throws(() => parseCard({ ...CARD, labels: [1, 2] }), MalformedMessage);
  });
});
