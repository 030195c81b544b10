/** The connection's side of `fer.v1`, on a socket whose other end is the test and a clock that the test turns. */

import assert from "node:assert/strict";
import { beforeEach, describe, mock, test } from "node:test";

import { connectionTo } from "../../web/stream/connection.js";
import { makeBackoff } from "../../web/stream/probe.js";
import { Peer } from "./peer.js";

const PROBLEM = { title: "Damaged", status: 422, detail: "Cut off.", code: "damaged_image" };
const JPEG = new Uint8Array([0xff, 0xd8]).buffer;
const RETRY_MS = 1000;

describe("Connection", () => {
  /** @type {Peer[]} */
  let peers;
  /** @type {object[]} */
  let states;
  let results = 0;
  /** @type {Connection} */
  let connection;

  beforeEach(() => {
    mock.timers.reset();
    mock.timers.enable({ apis: ["setTimeout"] });
    peers = [];
    states = [];
    results = 0;
    connection = connectionTo(
      () => {
        const peer = new Peer();
        peers.push(peer);
        return /** @type {WebSocket} */ (/** @type {unknown} */ (peer));
      },
      { onState: (state) => states.push(state), onReady: () => {}, onResult: () => (results += 1) },
      makeBackoff(() => 1),
    );
    connection.start();
  });

  const last = () => /** @type {Peer} */ (peers.at(-1));

  test("says hello first and is ready when the gateway is", () => {
    last().onopen();
    assert.deepEqual(last().received, ['{"type":"hello","options":{}}']);
    assert.equal(connection.canSend, false);
    last().ready();
    assert.equal(connection.canSend, true);
    assert.deepEqual(states, [{ phase: "connecting", again: null }, { phase: "ready" }]);
  });

  test("never sends without credit", () => {
    last().ready(2);
    for (let frame = 0; frame < 5; frame += 1) connection.send(JPEG, frame);
    assert.deepEqual(last().sequences, [0, 1]);
    assert.equal(connection.canSend, false);
    last().result(0, 0); // withheld
    assert.equal(connection.canSend, false);
    last().say({ type: "grant", credits: 1 });
    connection.send(JPEG, 5);
    connection.send(JPEG, 6);
    assert.deepEqual(last().sequences, [0, 1, 2]);
    assert.equal(results, 1);
  });

  test("a frame that failed gives its credit back", () => {
    last().ready(1);
    connection.send(JPEG, 0);
    last().say({ type: "error", problem: PROBLEM, seq: 0, credits: 1 });
    assert.equal(connection.canSend, true);
    assert.deepEqual(states.at(-1), { phase: "ready" });
  });

  test("comes back after a loss with a fresh window", () => {
    last().ready(2);
    connection.send(JPEG, 0);
    last().onclose({ code: 1006 });
    assert.deepEqual(states.at(-1), { phase: "waiting", reason: "lost" });
    assert.equal(connection.canSend, false);
    connection.send(JPEG, 1); // encoded before the loss: let go
    mock.timers.tick(RETRY_MS - 1);
    assert.equal(peers.length, 1);
    mock.timers.tick(1);
    assert.equal(peers.length, 2);
    last().ready(2);
    assert.equal(connection.load.credits, 2);
    connection.send(JPEG, 2);
    assert.deepEqual(last().sequences, [0]);
  });

  test("waits longer after each failure, and not after work was done", () => {
    last().onclose({ code: 1006 });
    mock.timers.tick(1000);
    last().onclose({ code: 1006 });
    mock.timers.tick(1999);
    assert.equal(peers.length, 2);
    mock.timers.tick(1);
    assert.equal(peers.length, 3);
    last().ready();
    connection.send(JPEG, 0);
    last().result(0, 1);
    last().onclose({ code: 1006 });
    mock.timers.tick(1000);
    assert.equal(peers.length, 4);
  });

  /** @type {[number, string][]} */
  const reasons = [[1006, "unreachable"], [1012, "restarting"], [1013, "busy"]];
  for (const [code, reason] of reasons) {
    test(`close code ${code} is \`${reason}\`, and is tried again`, () => {
      last().onclose({ code });
      assert.deepEqual(states.at(-1), { phase: "waiting", reason });
      mock.timers.tick(RETRY_MS);
      assert.equal(peers.length, 2);
    });
  }

  test("tells between two attempts what ended the connection, until it is ready again", () => {
    last().ready();
    last().onclose({ code: 1012 });
    mock.timers.tick(RETRY_MS);
    assert.deepEqual(states.at(-1), { phase: "connecting", again: "restarting" });
    last().ready();
    connection.start();
    assert.deepEqual(states.at(-1), { phase: "connecting", again: null });
  });

  test("a reset is said once there is someone to hear it", () => {
    connection.reset();
    last().ready();
    connection.reset();
    assert.deepEqual(last().received.slice(1), ['{"type":"reset"}']);
  });

  test("counts what is under way", () => {
    last().ready(2);
    connection.send(JPEG, 0);
    assert.deepEqual(connection.load, { underWay: 1, credits: 1 });
    last().result(0, 1);
    assert.deepEqual(connection.load, { underWay: 0, credits: 2 });
  });

  test("a refusal is not tried again and says why", () => {
    last().ready();
    last().say({ type: "error", problem: PROBLEM });
    last().onclose({ code: 1008 });
    assert.deepEqual(states.at(-1), { phase: "refused", detail: "Cut off.", code: "damaged_image" });
    mock.timers.tick(60_000);
    assert.equal(peers.length, 1);
  });

  test("a token goes with the hello, and one that is wrong is a refusal", () => {
    const openSocket = () => {
      peers.push(new Peer());
      return /** @type {WebSocket} */ (/** @type {unknown} */ (last()));
    };
    const listener = { onState: (/** @type {object} */ state) => states.push(state), onReady: () => {}, onResult: () => {} };
    connectionTo(Object.assign(openSocket, { token: "secret" }), listener).start();
    last().onopen();
    assert.deepEqual(last().received, ['{"type":"hello","token":"secret","options":{}}']);
    const problem = { title: "The token is not valid", status: 401, detail: "Pair again.", code: "token_invalid" };
    last().say({ type: "error", problem });
    last().onclose({ code: 1008 });
    assert.deepEqual(states.at(-1), { phase: "refused", detail: "Pair again.", code: "token_invalid" });
  });

  test("another model after a restart is told with its labels", () => {
    /** @type {string[][]} */
    const told = [];
    const openSocket = () => {
      peers.push(new Peer());
      return /** @type {WebSocket} */ (/** @type {unknown} */ (last()));
    };
    const listener = { onState: () => {}, onReady: (/** @type {Ready} */ { card }) => told.push(card.labels), onResult: () => {} };
    connectionTo(openSocket, listener, makeBackoff(() => 1)).start();
    last().ready();
    last().onclose({ code: 1012 });
    mock.timers.tick(RETRY_MS);
    last().onopen();
    last().say({ type: "ready", card: { name: "own", version: "2", labels: ["calm", "tense"] }, window: 2 });
    assert.deepEqual(told, [["neutral", "happiness"], ["calm", "tense"]]);
  });

  test("another model while it streams is told, and costs no credit", () => {
    const openSocket = () => {
      peers.push(new Peer());
      return /** @type {WebSocket} */ (/** @type {unknown} */ (last()));
    };
    /** @type {string[]} */
    const told = [];
    const onModel = (/** @type {Swap} */ { card }) => told.push(card.version);
    const streamed = connectionTo(openSocket, { onState() {}, onReady() {}, onResult() {}, onModel }, makeBackoff(() => 1));
    streamed.start();
    last().ready(2);
    last().say({ type: "model", card: { name: "own", version: "2", labels: ["neutral", "happiness"] } });
    assert.deepEqual(told, ["2"]);
    assert.deepEqual(streamed.load, { underWay: 0, credits: 2 });
    streamed.stop();
  });

  test("gives up a socket that says what cannot be read", () => {
    last().onmessage({ data: "{" });
    assert.equal(last().closedWith, 4000);
    assert.deepEqual(states.at(-1), { phase: "waiting", reason: "malformed" });
    mock.timers.tick(RETRY_MS);
    assert.equal(peers.length, 2);
  });

  test("notices a network that vanished while it connects", () => {
    mock.timers.tick(10_000);
    assert.deepEqual(states.at(-1), { phase: "waiting", reason: "unreachable" });
  });

  test("notices a network that vanished while a frame is under way", () => {
    last().ready(2);
    connection.send(JPEG, 0);
    connection.send(JPEG, 1);
    last().result(0, 0);
    mock.timers.tick(10_000);
    assert.deepEqual(states.at(-1), { phase: "waiting", reason: "lost" });
  });

  test("is patient while nothing is due, as when the camera gives no frame", () => {
    last().ready(2);
    connection.send(JPEG, 0);
    last().result(0, 1);
    mock.timers.tick(60_000);
    assert.deepEqual(states.at(-1), { phase: "ready" });
  });

  test("stop closes, and nothing is reported or tried any more", () => {
    const peer = last();
    peer.ready();
    connection.stop();
    const reported = states.length;
    peer.onclose({ code: 1000 });
    peer.result(0, 1);
    mock.timers.tick(60_000);
    assert.equal(peer.closedWith, 1000);
    assert.deepEqual([states.length, peers.length, results, connection.canSend], [reported, 1, 0, false]);
  });
});
