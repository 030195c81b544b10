/** What the panel of the connection shows: latencies, time in a state, reconnects, the model's card. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { sparkline, streamHistory } from "../../web/status/history.js";
import { describeCard } from "../../web/status/panel.js";
import { MalformedMessage } from "../../web/stream/messages.js";
import { english } from "./english.js";

const words = await english();

describe("history", () => {
  test("median and 95th percentile are of the last minute, by rank", () => {
    const history = streamHistory();
    history.add(1000, 9999);
    for (let rank = 1; rank <= 100; rank += 1) history.add(61_000 + rank, 101 - rank);
    const { medianMs, percentile95Ms, seconds } = history.latency(61_500);
    assert.deepEqual([medianMs, percentile95Ms], [50, 95]);
    assert.equal(seconds.length, 60);
    assert.deepEqual([seconds.at(-1), seconds.at(-2), seconds[0]], [50, null, null]);
  });

  test("each second has its own median", () => {
    const history = streamHistory();
    for (const [atMs, latencyMs] of [[100, 10], [200, 30], [300, 20], [59_950, 40]]) history.add(atMs ?? 0, latencyMs ?? 0);
    const { seconds } = history.latency(60_000);
    assert.deepEqual([seconds[0], seconds[1], seconds[59]], [20, null, 40]);
  });

  test("nothing came", () => {
    const { medianMs, percentile95Ms } = streamHistory().latency(1000);
    assert.deepEqual([medianMs, percentile95Ms], [null, null]);
  });

  /** @type {[string, GatewayState["phase"][], number][]} */
  const table = [
    ["the first connection is none", ["unknown", "found", "connecting", "ready"], 0],
    ["one that broke and came back", ["ready", "waiting", "connecting", "ready"], 1],
    ["however often it was tried", ["ready", "waiting", "connecting", "waiting", "connecting", "ready"], 1],
    ["one that is still away", ["ready", "waiting", "connecting"], 0],
    ["one that a person ended", ["ready", "unknown", "found", "connecting", "ready"], 0],
    ["two", ["ready", "waiting", "ready", "waiting", "ready"], 2],
  ];
  for (const [name, phases, expected] of table) {
    test(`reconnects: ${name}`, () => {
      const history = streamHistory();
      phases.forEach((phase, index) => history.enter(phase, index));
      assert.equal(history.reconnects, expected);
    });
  }

  test("a phase began when it was entered first", () => {
    const history = streamHistory();
    history.enter("ready", 1000);
    history.enter("ready", 2000);
    assert.equal(history.sinceMs, 1000);
    history.enter("waiting", 6000);
    assert.equal(history.sinceMs, 6000);
  });
});

test("a sparkline breaks where there is no value, and a lone value is a dot", () => {
  assert.equal(sparkline([10, 5, null, 10], 30, 12), "M0.0 1.0h0L10.0 6.0M30.0 1.0h0");
  assert.equal(sparkline([null, null], 30, 12), "");
  assert.equal(sparkline([0, 0], 10, 12), "M0.0 11.0h0L10.0 11.0");
});

describe("card", () => {
  const card = {
    name: "tiny", version: "1.2.3", labels: ["neutral", "my_own"], parameters: 3_235_369, face: { size_px: 80 },
    doubt: { uncertain_below: 0.607, coverage: 0.8552, error: 0.1 },
    evaluations: [{
      data: "test", faces: 3153, accuracy: { value: 0.8379, low: 0.8243, high: 0.8497 },
      macro_f1: { value: 0.6376, low: 0, high: 1 }, recall: { neutral: 0.9, my_own: 0.0625 },
    }],
    provenance: { data: ["some faces"], created: "2026-11-22", licence: "Apache-2.0", notes: "" },
  };

  test("says what the model is, how good, and its limits", () => {
    const { facts, scores } = describeCard(words, card);
    const said = /** @type {Record<string, string>} */ (Object.fromEntries(facts));
    assert.equal(said["Name"], "tiny 1.2.3");
    assert.equal(said["Labels"], "neutral and my_own");
    assert.match(said["Size"] ?? "", /^3\.2 million .* 80 × 80/);
    assert.match(said["Limits"] ?? "", /61%.*86%.*10%/);
    assert.equal(said["Finds least often"], "my_own (6%) and neutral (90%)");
    assert.equal(said["Terms"], "Apache-2.0");
    assert.ok(!("Notes" in said));
    assert.deepEqual(scores, [["test", "3,153", "84% (82%–85%)", "0.64"]]);
  });

  test("a model that was never scored", () => {
    const { facts, scores } = describeCard(words, { ...card, doubt: null, evaluations: [] });
    assert.deepEqual(scores, []);
    assert.deepEqual(facts.map(([key]) => key), ["Name", "Labels", "Size", "Trained on", "Made on", "Terms"]);
  });

  for (const [name, value] of Object.entries({ problem: { title: "Not ready", status: 503 }, nothing: null })) {
    test(`${name} is no card`, () => assert.throws(() => describeCard(words, value), MalformedMessage));
  }
});
