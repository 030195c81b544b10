/** Sessions in numbers: tallies, tracks, summaries, and the files they come in and go out as. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ImportProblem, parseSession, toCsv, toJson } from "../../web/sessions/export.js";
import { addToTally, mainLabel } from "../../web/sessions/store.js";
import { faceIds, summarise, trackOf } from "../../web/sessions/strip.js";

const LABELS = ["neutral", "happiness", "surprise", "sadness"];

/**
 * A face that is sure of one label.
 *
 * @param {string} label
 * @param {Partial<SampleFace>} [change]
 * @returns {SampleFace}
 */
function face(label, change = {}) {
  const probabilities = LABELS.map((candidate) => (candidate === label ? 1 : 0));
  return { id: 0, label, confidence: 0.75, uncertain: false, probabilities, ...change };
}

/** @type {SessionFacts} */
const SESSION = {
  name: 'A "quoted", name',
  note: "two\nlines",
  startedAt: Date.UTC(2026, 10, 22, 12),
  durationMs: 3000,
  labels: LABELS,
  model: { name: "m", version: "1" },
  source: "camera",
  moments: [{ atMs: 500, text: "joke" }],
};

/** @type {Sample[]} */
const SAMPLES = [
  { atMs: 0, faces: [face("neutral"), face("sadness", { id: 1 })] },
  { atMs: 1000, faces: [face("happiness")] },
  { atMs: 2000, faces: [] },
  { atMs: 2500, faces: [face("happiness", { uncertain: true, confidence: 0.25 })] },
  { atMs: 3000, faces: [face("happiness")] },
];

describe("a track", () => {
  test("has a gap where the face is not seen", () => {
    assert.deepEqual(
      trackOf(SAMPLES, 0).map(({ atMs, forMs, face: seen }) => [atMs, forMs, seen?.label]),
      [
        [0, 1000, "neutral"],
        [1000, 1000, "happiness"],
        [2000, 500, undefined],
        [2500, 500, "happiness"],
        [3000, 0, "happiness"],
      ],
    );
    const seen = trackOf(SAMPLES, 1).map(({ probabilities }) => probabilities !== null);
    assert.deepEqual(seen, [true, false, false, false, false]);
  });

  test("breaks where nothing came for long: that time belongs to no answer", () => {
    const samples = [0, 9000].map((atMs) => ({ atMs, faces: [face("neutral")] }));
    const track = trackOf(samples, 0).map(({ atMs, forMs, face: seen }) => [atMs, forMs, seen !== null]);
    assert.deepEqual(track, [[0, 0, true], [1, 0, false], [9000, 0, true]]);
  });

  test("the face that was seen longest comes first", () => {
    assert.deepEqual(faceIds(SAMPLES), [0, 1]);
    const samples = [7, 9, 9].map((id, atMs) => ({ atMs, faces: [face("neutral", { id })] }));
    assert.deepEqual(faceIds(samples), [9, 7]);
    assert.deepEqual(faceIds([]), []);
  });
});

describe("a summary", () => {
  test("counts time, changes, uncertainty", () => {
    assert.deepEqual(summarise(LABELS, trackOf(SAMPLES, 0)), {
      seenMs: 2500,
      shares: [0.4, 0.6, 0, 0],
      changes: 1,
      balance: 0.6,
      confidence: 0.65,
      uncertain: 0.2,
    });
  });

  test("of nothing is nothing", () => {
    const expected = { seenMs: 0, shares: [0, 0, 0, 0], changes: 0, balance: 0, confidence: 0, uncertain: 0 };
    assert.deepEqual(summarise(LABELS, []), expected);
  });

  /** @type {[string, string[], number | null][]} */
  const balances = [
    ["happiness", ["happiness"], 1],
    ["surprise counts half", ["surprise"], 0.5],
    ["neutral counts nothing", ["neutral"], 0],
    ["sadness", ["sadness"], -1],
    ["half and half", ["happiness", "sadness"], 0],
  ];
  for (const [name, seen, expected] of balances) {
    test(`balance: ${name}`, () => {
      const samples = [...seen, seen[0] ?? ""].map((label, index) => ({ atMs: index * 100, faces: [face(label)] }));
      assert.equal(summarise(LABELS, trackOf(samples, 0)).balance, expected);
    });
  }

  test("no balance for labels that have no side", () => {
    const labels = ["neutral", "happiness", "surprise", "my own"];
    assert.equal(summarise(labels, trackOf(SAMPLES, 0)).balance, null);
  });
});

test("a tally grows piece by piece", () => {
  const empty = { people: 0, counts: [], nextId: 0 };
  const whole = addToTally(empty, LABELS, SAMPLES);
  assert.deepEqual(whole, { people: 2, counts: [1, 3, 0, 1], nextId: 2 });
  assert.deepEqual(addToTally(addToTally(empty, LABELS, SAMPLES.slice(0, 2)), LABELS, SAMPLES.slice(2)), whole);
  assert.equal(mainLabel({ labels: LABELS, tally: whole }), "happiness");
  assert.equal(mainLabel({ labels: LABELS, tally: empty }), null);
});

describe("CSV", () => {
  test("has one row for each sample and face, under the labels", () => {
    assert.equal(toCsv({ ...SESSION, name: "plain" }, SAMPLES.slice(0, 2)), [
      "session,at_ms,face,label,confidence,uncertain,neutral,happiness,surprise,sadness",
      "plain,0,0,neutral,0.75,false,1,0,0,0",
      "plain,0,1,sadness,0.75,false,0,0,0,1",
      "plain,1000,0,happiness,0.75,false,0,1,0,0",
      "",
    ].join("\r\n"));
  });

  /** @type {[string, string][]} */
  const names = [
    ["plain", "plain"],
    ["a,b", '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ["two\nlines", '"two\nlines"'],
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", "'\t=1"],
    ["＝1", "'＝1"],
    ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
  ];
  for (const [name, expected] of names) {
    test(`the name ${JSON.stringify(name)}`, () => {
      const row = toCsv({ ...SESSION, name }, SAMPLES.slice(1, 2)).split("\r\n")[1] ?? "";
      assert.equal(row, `${expected},1000,0,happiness,0.75,false,0,1,0,0`);
    });
  }

  test("a label is no formula either", () => {
    assert.match(toCsv({ ...SESSION, labels: ["=a", "b"] }, []), /uncertain,'=a,b\r\n$/);
  });
});

describe("JSON", () => {
  test("comes back as it went", () => {
    assert.deepEqual(parseSession(toJson(SESSION, SAMPLES)), { session: SESSION, samples: SAMPLES });
  });

  /** @type {[string, (file: any) => unknown][]} */
  const wrong = [
    ["format", (file) => (file.format = "other")],
    ["format", (file) => delete file.format],
    ["version", (file) => (file.version = "1")],
    ["session", (file) => (file.session = [])],
    ["session.name", (file) => (file.session.name = 7)],
    ["session.note", (file) => (file.session.note = "x".repeat(10_001))],
    ["session.startedAt", (file) => (file.session.startedAt = 1e300)],
    ["session.durationMs", (file) => (file.session.durationMs = -1)],
    ["session.labels", (file) => (file.session.labels = "neutral")],
    ["session.labels", (file) => (file.session.labels[1] = "neutral")],
    ["session.labels[0]", (file) => (file.session.labels[0] = null)],
    ["session.model.version", (file) => delete file.session.model.version],
    ["session.source", (file) => (file.session.source = "dream")],
    ["session.moments[0].text", (file) => (file.session.moments[0].text = {})],
    ["session.moments[0].atMs", (file) => (file.session.moments[0].atMs = -1)],
    ["samples", (file) => (file.samples = {})],
    ["samples[2]", (file) => (file.samples[2] = null)],
    ["samples[1].atMs", (file) => (file.samples[1].atMs = null)],
    ["samples[2].atMs", (file) => (file.samples[2].atMs = 999)],
    ["samples[4].atMs", (file) => (file.samples[4].atMs = 3001)],
    ["samples[0].faces", (file) => delete file.samples[0].faces],
    ["samples[0].faces[1].id", (file) => (file.samples[0].faces[1].id = 0.5)],
    ["samples[0].faces[1].label", (file) => (file.samples[0].faces[1].label = "joy")],
    ["samples[0].faces[1].confidence", (file) => (file.samples[0].faces[1].confidence = 1.01)],
    ["samples[0].faces[1].uncertain", (file) => (file.samples[0].faces[1].uncertain = 1)],
    ["samples[0].faces[1].probabilities", (file) => file.samples[0].faces[1].probabilities.pop()],
    ["samples[0].faces[1].probabilities[3]", (file) => (file.samples[0].faces[1].probabilities[3] = "1")],
  ];
  for (const [field, spoil] of wrong) {
    test(`\`${field}\` is named when it is wrong: ${spoil}`, () => {
      const file = JSON.parse(toJson(SESSION, SAMPLES));
      spoil(file);
      assert.throws(() => parseSession(JSON.stringify(file)), (problem) => {
        assert.ok(problem instanceof ImportProblem);
        assert.deepEqual([problem.kind, problem.field], ["wrong", field]);
        return true;
      });
    });
  }

  for (const [name, text, kind] of /** @type {const} */ ([
    ["no JSON", "at_ms,face", "no_json"],
    ["an empty file", "", "no_json"],
    ["null", "null", "wrong"],
    ["a later version", toJson(SESSION, []).replace('"version":1', '"version":2'), "newer"],
  ])) {
    test(`${name} is not imported`, () => {
      assert.throws(() => parseSession(text), (problem) => problem instanceof ImportProblem && problem.kind === kind);
    });
  }

  test("what the format does not have is left out", () => {
    const file = JSON.parse(toJson(SESSION, SAMPLES));
    file.session.id = 7;
    file.samples[0].faces[0].image = "…";
    assert.deepEqual(parseSession(JSON.stringify(file)), { session: SESSION, samples: SAMPLES });
  });
});
