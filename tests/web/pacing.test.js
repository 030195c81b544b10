/** Credits, pauses between attempts, the meter and the announcer. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Announcer } from "../../web/live/announcer.js";
import { Meter } from "../../web/live/meter.js";
import { Backoff } from "../../web/stream/backoff.js";
import { Credits } from "../../web/stream/credits.js";

describe("Credits", () => {
  test("are spent one by one, never below zero", () => {
    const credits = new Credits();
    assert.equal(credits.spend(), false);
    credits.restart(2);
    assert.deepEqual([credits.spend(), credits.spend(), credits.spend()], [true, true, false]);
    assert.equal(credits.available, 0);
    credits.add(1);
    assert.equal(credits.spend(), true);
  });

  test("of an earlier connection are void", () => {
    const credits = new Credits();
    credits.restart(2);
    credits.add(5);
    credits.restart(2);
    assert.equal(credits.available, 2);
  });
});

describe("Backoff", () => {
  test("grows to 8 s and starts over after a success", () => {
    const backoff = new Backoff(() => 1);
    assert.deepEqual(Array.from({ length: 6 }, () => backoff.nextMs()), [1000, 2000, 4000, 8000, 8000, 8000]);
    backoff.reset();
    assert.equal(backoff.nextMs(), 1000);
  });

  test("never waits less than half a second", () => {
    const backoff = new Backoff(() => 0);
    assert.deepEqual(Array.from({ length: 4 }, () => backoff.nextMs()), [500, 500, 500, 500]);
  });

  test("spreads the pages of a restarted gateway", () => {
    const pauses = Array.from({ length: 50 }, () => new Backoff().nextMs());
    assert.ok(Math.max(...pauses) - Math.min(...pauses) > 100);
    assert.ok(pauses.every((pause) => pause >= 500 && pause <= 1000));
  });
});

describe("Meter", () => {
  test("counts the last two seconds and takes the median latency", () => {
    const meter = new Meter(0);
    for (let atMs = 100; atMs <= 4000; atMs += 100) meter.add(atMs, atMs === 4000 ? 900 : 40);
    assert.deepEqual(meter.read(4000), { framesPerSecond: 10, latencyMs: 40 });
  });

  test("is right from the first second", () => {
    const meter = new Meter(1000);
    for (let atMs = 1100; atMs <= 2000; atMs += 100) meter.add(atMs, 40);
    assert.equal(meter.read(2000).framesPerSecond, 10);
  });

  test("falls to nothing when results stop", () => {
    const meter = new Meter(0);
    meter.add(100, 40);
    assert.deepEqual(meter.read(2200), { framesPerSecond: 0, latencyMs: null });
  });
});

describe("Announcer", () => {
  test("waits until a label has settled, says it once", () => {
    const announcer = new Announcer();
    assert.equal(announcer.consider("happiness", 0), false);
    assert.equal(announcer.consider("happiness", 999), false);
    assert.equal(announcer.consider("happiness", 1000), true);
    assert.equal(announcer.consider("happiness", 9000), false);
  });

  test("ignores a flicker", () => {
    const announcer = new Announcer();
    announcer.consider("happiness", 0);
    assert.equal(announcer.consider("happiness", 1000), true);
    assert.equal(announcer.consider("surprise", 5000), false);
    assert.equal(announcer.consider("happiness", 5050), false);
    assert.equal(announcer.consider("happiness", 9000), false);
  });

  test("pauses three seconds between announcements", () => {
    const announcer = new Announcer();
    announcer.consider("happiness", 0);
    announcer.consider("happiness", 1000);
    announcer.consider("surprise", 1100);
    assert.equal(announcer.consider("surprise", 2200), false);
    assert.equal(announcer.consider("surprise", 4000), true);
  });
});
