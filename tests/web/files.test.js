/** Photos and videos: what the gateway says, rows for spreadsheets, and a stream that loses no frame. */

import assert from "node:assert/strict";
import { beforeEach, describe, mock, test } from "node:test";

import { streamFrames } from "../../web/files/footage.js";
import { analyse, Refusal } from "../../web/files/photos.js";
import { toCsv } from "../../web/files/tile.js";
import { Peer } from "./peer.js";

const BOX = { x: 0.25, y: 0.5, width: 0.125, height: 0.25 };
const SURE = { box: BOX, label: "happiness", confidence: 0.75, uncertain: false, reasons: [] };
const FOUND = { faces: [{ ...SURE, probabilities: { neutral: 0.25, happiness: 0.75 } }] };
const PROBLEM = { title: "The image is damaged", status: 422, detail: "It is cut off.", code: "damaged_image" };

const BUSY = { status: 503, headers: { "Retry-After": "3" } };

describe("one question about a photo", () => {
  /** @param {Response | Error} answer */
  const ask = (answer) => analyse(async () => {
    if (answer instanceof Response) return answer;
    throw answer;
  }, new Blob());

  test("probabilities come in the order of the labels, faces with a number", async () => {
    const face = { ...SURE, id: 0, probabilities: [0.25, 0.75] };
    assert.deepEqual(await ask(Response.json(FOUND)), { faces: [face], labels: ["neutral", "happiness"] });
  });

  test("a photo without a face has none", async () => {
    assert.deepEqual(await ask(Response.json({ faces: [] })), { faces: [], labels: [] });
  });

  /** @type {[string, Response | Error, object][]} */
  const later = [
    ["the gateway says when", new Response("", BUSY), { wait: "busy", forMs: 3000 }],
    ["a proxy does not", new Response("<p>", { status: 502 }), { wait: "busy", forMs: 0 }],
    ["nobody answers", new TypeError("fetch failed"), { wait: "away", forMs: 0 }],
    ["nobody answers in time", new DOMException("", "TimeoutError"), { wait: "away", forMs: 0 }],
  ];
  for (const [name, answer, expected] of later) {
    test(`to be asked again: ${name}`, async () => assert.deepEqual(await ask(answer), expected));
  }

  /** @type {[string, Response, string][]} */
  const refused = [
    ["in the gateway's words", Response.json(PROBLEM, { status: 422 }), "The image is damaged. It is cut off."],
    ["a problem that is none", Response.json({}, { status: 422 }), ""],
    ["a page instead of JSON", new Response("<p>"), ""],
    ["an answer without faces", Response.json({}), ""],
    ["a face without a box", Response.json({ faces: [{ probabilities: {} }] }), ""],
    ["probabilities that are none", Response.json({ faces: [{ ...SURE, probabilities: { neutral: "much" } }] }), ""],
  ];
  for (const [name, answer, message] of refused) {
    test(`refused: ${name}`, () => assert.rejects(ask(answer), new Refusal(message)));
  }
});

test("spreadsheets get every face, photos without one, and no formula", () => {
  const phase = /** @type {const} */ ("done");
  const done = { file: new File([], ""), phase, problem: null, blob: null, address: "", ratio: 1 };
  const face = { ...SURE, id: 0, probabilities: [0.25, 0.75] };
  const unsure = { ...face, label: "neutral", uncertain: true, reasons: ["low_confidence", "too_dark"] };
  /** @type {Photo[]} */
  const photos = [
    { ...done, name: "a, b.jpg", faces: [face, unsure], labels: ["neutral", "happiness"] },
    { ...done, name: "=empty.jpg", faces: [], labels: [] },
    { ...done, name: "later.jpg", faces: [], labels: [], phase: "waiting" },
    { ...done, name: "other.jpg", faces: [{ ...face, probabilities: [0.75, 0.25] }], labels: ["happiness", "calm"] },
  ];
  assert.equal(toCsv(photos), [
    "file,face,emotion,confidence,uncertain,neutral,happiness,calm",
    '"a, b.jpg",1,happiness,0.75,,0.25,0.75,',
    '"a, b.jpg",2,neutral,0.75,low_confidence too_dark,0.25,0.75,',
    "'=empty.jpg,,,,,,,",
    "other.jpg,1,happiness,0.75,,,0.75,0.25",
    "",
  ].join("\r\n"));
});

describe("frames of a video", () => {
  const RETRY_MS = 8000;
  /** @type {Peer[]} */
  let peers;
  /** @type {number[][]} time and ids of each result */
  let results;
  /** @type {number} */
  let taken;
  /** @type {AbortController} */
  let stopping;
  /** @type {Promise<unknown>} */
  let end;
  /** @type {Promise<unknown>} the next frame is taken from the file once it settles */
  let taking;

  const last = () => /** @type {Peer} */ (peers.at(-1));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  /** @param {number} seq @param {number} atMs @param {number[]} ids */
  const answer = async (seq, atMs, ids) => {
    const faces = ids.map((id) => ({ ...SURE, id, probabilities: [0.25, 0.75] }));
    last().say({ type: "result", seq, captured_ms: atMs, width: 4, height: 3, faces, dropped: 0, credits: 1 });
    await settle();
  };

  async function* frames() {
    for (taken = 0; taken < 3; taken += 1) {
      await taking;
      yield { atMs: 500 * taken, jpeg: new ArrayBuffer(2) };
    }
  }

  const begin = () => {
    const openSocket = () => {
      peers.push(new Peer());
      return /** @type {WebSocket} */ (/** @type {unknown} */ (last()));
    };
    end = streamFrames(openSocket, frames(), stopping.signal, {
      onReady: () => {},
      onState: () => {},
      onResult: ({ captured_ms: atMs, faces }) => results.push([atMs, ...faces.map(({ id }) => id)]),
    }).catch((error) => error);
  };

  /** The next frame is not there before what this gives is called. */
  const hold = () => {
    let take = () => {};
    taking = new Promise((resolve) => (take = () => resolve(null)));
    return take;
  };

  const refuse = () => {
    last().say({ type: "error", problem: PROBLEM, seq: null, credits: 0 });
    last().onclose({ code: 1008 });
  };

  beforeEach(async () => {
    mock.timers.reset();
    mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    peers = [];
    results = [];
    taking = Promise.resolve();
    stopping = new AbortController();
    begin();
    last().ready();
    await settle();
    mock.timers.tick(100);
  });

  test("the next goes once the one before is answered, with its time in the video", async () => {
    assert.deepEqual(last().sequences, [0]);
    await answer(0, 0, [0]);
    assert.deepEqual(last().sequences, [0, 1]);
    const frame = /** @type {Uint8Array<ArrayBuffer>} */ (last().received.at(-1));
    assert.equal(new DataView(frame.buffer).getFloat64(8, true), 500);
    await answer(1, 500, [0, 1]);
    await answer(2, 1000, []);
    assert.equal(await end, undefined);
    assert.deepEqual(results, [[0, 0], [500, 0, 1], [1000]]);
    assert.equal(last().closedWith, 1000);
  });

  test("a lost connection loses no frame, and its faces are not taken for those of the next", async () => {
    await answer(0, 0, [0, 1]);
    last().onclose({ code: 1012 });
    mock.timers.tick(RETRY_MS);
    assert.equal(peers.length, 2);
    last().ready();
    mock.timers.tick(100);
    assert.deepEqual(last().sequences, [0]);
    await answer(0, 500, [0]);
    await answer(1, 1000, [1]);
    assert.equal(await end, undefined);
    assert.deepEqual(results, [[0, 0, 1], [500, 2], [1000, 3]]);
  });

  test("what was answered is not sent again while the next frame is taken", async () => {
    const take = hold();
    await answer(0, 0, []);
    last().onclose({ code: 1012 });
    mock.timers.tick(RETRY_MS);
    last().ready();
    mock.timers.tick(100);
    assert.deepEqual(last().sequences, []);
    take();
    await settle();
    await answer(0, 500, []);
    await answer(1, 1000, []);
    assert.equal(await end, undefined);
    assert.deepEqual(results, [[0], [500], [1000]]);
  });

  test("a frame that the gateway cannot do ends it with the reason", async () => {
    last().say({ type: "error", problem: PROBLEM, seq: 0, credits: 1 });
    assert.deepEqual(await end, new Refusal("The image is damaged. It is cut off."));
    assert.equal(last().closedWith, 1000);
  });

  test("a refusal ends it with the reason", async () => {
    refuse();
    assert.deepEqual(await end, new Refusal("It is cut off."));
  });

  /** @type {[string, () => unknown][]} */
  const early = [
    ["before the first frame is there", begin],
    ["before the next frame is there", () => answer(0, 0, [])],
  ];
  for (const [name, act] of early) {
    test(`so does one that comes ${name}`, async () => {
      const take = hold();
      await act();
      refuse();
      take();
      assert.deepEqual(await end, new Refusal("It is cut off."));
    });
  }

  test("who stops it waits for nothing", async () => {
    stopping.abort();
    assert.equal((await /** @type {Promise<Error>} */ (end)).name, "AbortError");
    assert.equal(last().closedWith, 1000);
    assert.equal(taken, 0);
    assert.deepEqual(results, []);
  });
});
