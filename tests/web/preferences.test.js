/** What a person chose on this device, in every state of the browser's storage. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { preferencesIn } from "../../web/shell/privacy.js";

/** Keeps its items as own properties, as the browser's does. */
class FakeStorage {
  /** @param {string} name @returns {string | null} */
  getItem(name) {
    return Object.getOwnPropertyDescriptor(this, name)?.value ?? null;
  }

  /** @param {string} name @param {string} value */
  setItem(name, value) {
    if (value === "large") throw new DOMException("", "QuotaExceededError");
    Reflect.set(this, name, value);
  }

  /** @param {string} name */
  removeItem(name) {
    Reflect.deleteProperty(this, name);
  }
}

describe("preferences", () => {
  const storage = /** @type {Storage} */ (/** @type {unknown} */ (new FakeStorage()));
  const preferences = preferencesIn(() => storage);

  test("are kept, forgotten and cleared by name, and nothing else is", () => {
    storage.setItem("other", "1");
    preferences.set("notice", "1");
    preferences.set("language", "de");
    assert.deepEqual([preferences.get("notice"), preferences.get("language"), preferences.get("other")], ["1", "de", null]);
    preferences.set("language", null);
    assert.equal(preferences.get("language"), null);
    preferences.set("language", "en");
    assert.equal(preferences.clear(), 2);
    assert.equal(preferences.get("notice"), null);
    assert.equal(storage.getItem("other"), "1");
  });

  test("do without when the storage is full or switched off", () => {
    preferences.set("notice", "large");
    assert.equal(preferences.get("notice"), null);
    const none = preferencesIn(() => {
      throw new DOMException("", "SecurityError");
    });
    none.set("notice", "1");
    assert.equal(none.get("notice"), null);
    assert.equal(none.clear(), 0);
  });
});
