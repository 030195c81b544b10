/** Pauses between attempts, the meter and the announcer. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { makeAnnouncer } from "../../web/live/answers.js";
import { meterFrom } from "../../web/status/history.js";
import { makeBackoff } from "../../web/stream/probe.js";

describe("Backoff", () => {
  test("grows to 8 s and starts over after a success", () => {
    const backoff = makeBackoff(() => 1);
    assert.deepEqual(Array.from({ length: 6 }, () => backoff.nextMs()), [1000, 2000, 4000, 8000, 8000, 8000]);
    backoff.reset();
    assert.equal(backoff.nextMs(), 1000);
  });

  test("never waits less than half a second", () => {
    const backoff = makeBackoff(() => 0);
    assert.deepEqual(Array.from({ length: 4 }, () => backoff.nextMs()), [500, 500, 500, 500]);
  });

  test("spreads the pages of a restarted gateway", () => {
    const pauses = Array.from({ length: 50 }, () => makeBackoff().nextMs());
    assert.ok(Math.max(...pauses) - Math.min(...pauses) > 100);
    assert.ok(pauses.every((pause) => pause >= 500 && pause <= 1000));
  });
});

describe("Meter", () => {
  test("counts the last two seconds and takes the median latency", () => {
    const meter = meterFrom(0);
    for (let atMs = 100; atMs <= 4000; atMs += 100) meter.add(atMs, atMs === 4000 ? 900 : 40);
    assert.deepEqual(meter.read(4000), { framesPerSecond: 10, latencyMs: 40 });
  });

  test("is right from the first second", () => {
    const meter = meterFrom(1000);
    for (let atMs = 1100; atMs <= 2000; atMs += 100) meter.add(atMs, 40);
    assert.equal(meter.read(2000).framesPerSecond, 10);
  });

  test("falls to nothing when results stop", () => {
    const meter = meterFrom(0);
    meter.add(100, 40);
    assert.deepEqual(meter.read(2200), { framesPerSecond: 0, latencyMs: null });
  });
});

describe("Announcer", () => {
  test("waits until a label has settled, says it once", () => {
    const isWorthSaying = makeAnnouncer();
    assert.equal(isWorthSaying("happiness", 0), false);
    assert.equal(isWorthSaying("happiness", 999), false);
    assert.equal(isWorthSaying("happiness", 1000), true);
    assert.equal(isWorthSaying("happiness", 9000), false);
  });

  test("ignores a flicker", () => {
    const isWorthSaying = makeAnnouncer();
    isWorthSaying("happiness", 0);
    assert.equal(isWorthSaying("happiness", 1000), true);
    assert.equal(isWorthSaying("surprise", 5000), false);
    assert.equal(isWorthSaying("happiness", 5050), false);
    assert.equal(isWorthSaying("happiness", 9000), false);
  });

  test("pauses three seconds between announcements", () => {
    const isWorthSaying = makeAnnouncer();
    isWorthSaying("happiness", 0);
    isWorthSaying("happiness", 1000);
    isWorthSaying("surprise", 1100);
    assert.equal(isWorthSaying("surprise", 2200), false);
    assert.equal(isWorthSaying("surprise", 4000), true);
  });
});
