/** The demonstration is left by one finger that holds on. */

import assert from "node:assert/strict";
import { beforeEach, describe, mock, test } from "node:test";

import { kioskOf } from "../../web/shell/views.js";

describe("a demonstration", () => {
  /** @type {EventTarget} */
  let page;
  /** @type {{ hidden: boolean }} */
  let root;
  /** @param {string[]} types */
  const touch = (...types) => types.forEach((type) => page.dispatchEvent(new Event(type)));

  beforeEach(() => {
    mock.timers.reset();
    mock.timers.enable({ apis: ["setTimeout"] });
    const button = { focus() {} };
    root = Object.assign({ hidden: true, querySelector: () => button });
    const parts = { "#kiosk": root, "#kiosk-button": button };
    page = Object.assign(new EventTarget(), {
      body: { dataset: {} },
      querySelector: (/** @type {keyof typeof parts} */ selector) => parts[selector],
    });
    Object.assign(globalThis, { document: page, location: {}, history: { replaceState() {} } });
    kioskOf(() => {}).enter();
  });

  /** @type {[string, string[], boolean][]} */
  const table = [
    ["goes on after a tap", ["pointerdown", "pointerup"], false],
    ["goes on after a tap of two fingers", ["pointerdown", "pointerdown", "pointerup", "pointerup"], false],
    ["ends while a finger holds on", ["pointerdown"], true],
    ["ends while a finger holds on after a tap", ["pointerdown", "pointerup", "pointerdown"], true],
  ];
  for (const [name, touches, left] of table) {
    test(name, () => {
      touch(...touches);
      mock.timers.tick(1500);
      assert.equal(root.hidden, left);
    });
  }
});
