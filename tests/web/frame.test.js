/** The bytes that the page sends, against the golden file that the gateway is tested with too. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { encodeFrame, helloWith, streamAddress } from "../../web/stream/messages.js";

/** @typedef {{ name: string, sequence: number, captured_ms: number, image_hex: string, message_hex: string }} Golden */

/** @type {{ frames: Golden[] }} */
const golden = JSON.parse(readFileSync(new URL("../golden/frame_header.json", import.meta.url), "utf8"));

describe("encodeFrame gives the golden bytes", () => {
  for (const { name, sequence, captured_ms, image_hex, message_hex } of golden.frames) {
    test(name, () => {
      const jpeg = new Uint8Array(Buffer.from(image_hex, "hex")).buffer;
      assert.equal(Buffer.from(encodeFrame(sequence, captured_ms, jpeg)).toString("hex"), message_hex);
    });
  }
});

test("hello is what fer.v1 asks for", () => {
  assert.deepEqual(JSON.parse(helloWith()), { type: "hello", options: {} });
  assert.deepEqual(JSON.parse(helloWith("secret")), { type: "hello", token: "secret", options: {} });
});

test("the stream is on the page's own gateway, as secure as the page", () => {
  assert.equal(streamAddress("http://localhost:8000/?x=1"), "ws://localhost:8000/api/v1/stream");
  assert.equal(streamAddress("https://gateway.local/"), "wss://gateway.local/api/v1/stream");
});
