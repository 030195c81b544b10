/** Texts by key, in the reader's language. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { chooseLanguage, wordsIn } from "../../web/language/load.js";
import { placeOf } from "../../web/shell/views.js";

const TABLE = {
  reasons: { too_dark: "too dark" },
  emotions: { anger: "Wut" },
  live: { start: "Start", faces: { one: "{count} face of {name}", other: "{count} faces of {name}" } },
};

describe("words", () => {
  const words = wordsIn("en", TABLE);

  test("a text by its key", () => assert.equal(words.say("live.start"), "Start"));

  test("values are put in, numbers as the language writes them", () => {
    assert.equal(words.say("live.faces", { count: 1, name: "A" }), "1 face of A");
    assert.equal(words.say("live.faces", { count: 1200, name: "{count}" }), "1,200 faces of {count}");
    assert.equal(wordsIn("de", TABLE).say("live.faces", { count: 1.25, name: "A" }), "1,3 faces of A");
  });

  for (const key of ["live.stop", "live", "other.start", "live.start.more", "constructor", "live.toString"]) {
    test(`\`${key}\` is no text`, () => assert.throws(() => words.say(key), /no text/));
  }

  test("names from the gateway may be unknown", () => {
    assert.equal(words.name("reasons", "too_dark"), "too dark");
    assert.equal(words.name("reasons", "too_far_away"), "too far away");
    assert.deepEqual([words.emotion("anger"), words.emotion("my_own")], ["Wut", "my_own"]);
  });
});

test("the first language that the page has is taken, English otherwise", () => {
  assert.equal(chooseLanguage(["en-GB", "xx"]), "en");
  assert.equal(chooseLanguage(["xx-YY"]), "en");
  assert.equal(chooseLanguage(["xx", "zh-Hans-CN", "de"]), "zh");
  assert.equal(chooseLanguage(["DE-at", "en"]), "de");
  assert.equal(chooseLanguage(["constructor"]), "en");
  assert.equal(chooseLanguage([]), "en");
});

test("the address names the view", () => {
  const names = ["live", "sessions"];
  assert.deepEqual(placeOf("", names), { view: "live", rest: "" });
  assert.deepEqual(placeOf("#sessions", names), { view: "sessions", rest: "" });
  assert.deepEqual(placeOf("#sessions/12/b", names), { view: "sessions", rest: "12/b" });
  assert.deepEqual(placeOf("#nowhere/12", names), { view: "live", rest: "" });
});
