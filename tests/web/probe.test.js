/** The look for a gateway while no stream is open. */

import assert from "node:assert/strict";
import { beforeEach, describe, mock, test } from "node:test";

import { makeBackoff, probeWith } from "../../web/stream/probe.js";

const CARD = { name: "hybrid", version: "0.1.0", labels: ["neutral", "happiness"] };
const RETRY_MS = 1000;

/** @typedef {() => Promise<Response>} Request */

describe("Probe", () => {
  /** @type {string[]} */
  let heard;

  beforeEach(() => {
    mock.timers.reset();
    mock.timers.enable({ apis: ["setTimeout"] });
    heard = [];
  });

  /** @param {Request[]} requests one for each attempt */
  const started = (...requests) => {
    const probe = probeWith(
      () => (requests.shift() ?? assert.fail("asked once too often"))(),
      { onCard: (card) => heard.push(card.name), onRefused: ({ code }) => heard.push(code), onUnreachable: () => heard.push("unreachable") },
      makeBackoff(() => 1),
    );
    probe.start();
    return probe;
  };

  /** Let every answer that is there arrive. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  const found = async () => Response.json(CARD);

  test("hands over the card and asks no more", async () => {
    started(found);
    await settle();
    mock.timers.tick(60_000);
    assert.deepEqual(heard, ["hybrid"]);
  });

  /** @type {[string, Request][]} */
  const failures = [
    ["no connection", () => Promise.reject(new TypeError("fetch failed"))],
    ["too slow", () => Promise.reject(new DOMException("timeout", "TimeoutError"))],
    ["not ready", async () => Response.json({}, { status: 503 })],
    ["a proxy's page", async () => new Response("<html>")],
    ["no card", async () => Response.json({ labels: 1 })],
  ];
  for (const [name, request] of failures) {
    test(`tries again after ${name}`, async () => {
      started(request, found);
      await settle();
      assert.deepEqual(heard, ["unreachable"]);
      mock.timers.tick(RETRY_MS);
      await settle();
      assert.deepEqual(heard, ["unreachable", "hybrid"]);
    });
  }

  test("a refusal is told and not tried again", async () => {
    const problem = { title: "A token is needed", status: 401, detail: "Pair.", code: "token_required" };
    started(async () => Response.json(problem, { status: 401 }));
    await settle();
    mock.timers.tick(60_000);
    assert.deepEqual(heard, ["token_required"]);
  });

  test("an answer after stop is not heard", async () => {
    started(found).stop();
    await settle();
    assert.deepEqual(heard, []);
  });
});
