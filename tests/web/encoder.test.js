/** Frames become JPEGs: the page's side and the worker's, both real, with nothing but a browser's parts between them. */

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { frameEncoder } from "../../web/camera/encoder.js";

const MODULE = new URL("../../web/camera/encoder-worker.js", import.meta.url);
const VIDEO = /** @type {HTMLVideoElement} */ ({ videoWidth: 4, videoHeight: 3 });
const TRACK = /** @type {MediaStreamTrack} */ ({});

/** What a worker is to the page that opened it. */
class Opened {
  /** @type {unknown[]} */
  asked = [];
  ended = false;
  onerror = () => {};
  /** @type {(event: { data: unknown }) => void} */
  onmessage = () => {};
  /** What the worker calls itself. @type {{ onmessage?: (event: { data: unknown }) => void, postMessage: (data: unknown) => void }} */
  scope = { postMessage: (data) => this.ended || this.onmessage({ data }) };

  /** @param {unknown} data */
  postMessage(data) {
    this.asked.push(data);
    this.scope.onmessage?.({ data });
  }

  terminate() {
    this.ended = true;
  }
}

/** @type {Opened[]} */
let workers;
/** @type {ReadableStreamDefaultController} that hands the worker its frames */
let source;
/** @type {FrameEncoder} */
let encoder;
/** @type {Error | null} why the next picture cannot be made */
let trouble;

/** @param {object} [shape] */
const frame = (shape = { displayWidth: 4, displayHeight: 3 }) => {
  const made = { ...shape, closed: false, close: () => (made.closed = true) };
  return made;
};
const encode = async () => (await encoder.encode(VIDEO, 480, 7))?.jpeg.byteLength ?? null;
const last = () => /** @type {Opened} */ (workers.at(-1));

/** Opens the encoder, and lets its worker's module run. */
async function open() {
  encoder.open(TRACK);
  const { scope } = last();
  Object.assign(globalThis, { self: scope, reportError: last().onerror });
  await import(`${MODULE}?${Math.random()}`); // each worker has a module of its own
}

beforeEach(() => {
  workers = [];
  trouble = null;
  const canvas = { getContext: () => ({ canvas, drawImage() {} }), toBlob: (/** @type {BlobCallback} */ done) => done(new Blob(["page"])) };
  Object.assign(globalThis, {
    document: { createElement: () => canvas },
    OffscreenCanvas: class {
      getContext = () => ({
        drawImage() {
          if (trouble?.message === "draw") throw trouble;
        },
      });
      async convertToBlob() {
        if (trouble) throw trouble;
        return new Blob(["worker"]);
      }
    },
    MediaStreamTrackProcessor: class {
      readable = new ReadableStream({ start: (controller) => void (source = controller) });
    },
  });
  encoder = frameEncoder(() => {
    workers.push(new Opened());
    return /** @type {Worker} */ (/** @type {unknown} */ (last()));
  });
});

describe("an encoder whose worker reads the track", () => {
  beforeEach(open);

  for (const step of ["draw", "convert"]) {
    test(`goes on with the next frame after one that it could not ${step}`, async () => {
      trouble = new DOMException(step, "EncodingError");
      const broken = frame();
      source.enqueue(broken);
      assert.equal(await encode(), null);
      assert.ok(broken.closed); // a camera gives no more while its frames are held

      trouble = null;
      source.enqueue(frame());
      assert.equal(await encode(), "worker".length);
      assert.deepEqual(last().asked.slice(1), Array(2).fill({ frame: undefined, width: 4, height: 3 })); // it still reads
    });
  }

  test("gives it frames once those that it reads lie on their side", async () => {
    const given = frame({});
    Object.assign(globalThis, { createImageBitmap: async () => given });
    source.enqueue(frame({ displayWidth: 3, displayHeight: 4 }));
    assert.equal(await encode(), null);
    assert.equal(await encode(), "worker".length);
    assert.deepEqual(last().asked.at(-1), { frame: given, width: 4, height: 3 });
  });

  test("encodes on the page once the worker can read no more", async () => {
    const waiting = encode();
    source.error(new TypeError("lost"));
    assert.equal(await waiting, null);
    assert.ok(last().ended);
    assert.equal(await encode(), "page".length);
  });

  test("a worker that was closed takes no other with it", async () => {
    const before = last();
    await open();
    before.onerror();
    source.enqueue(frame());
    assert.equal(await encode(), "worker".length);
    assert.ok(before.ended && !last().ended);
  });
});
