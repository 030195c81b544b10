/** The card of one video: cancelled, analysed again, and kept as it was. */

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { analyseVideo } from "../../web/files/video.js";
import { StoreProblem } from "../../web/sessions/store.js";
import { english } from "./english.js";
import { Peer } from "./peer.js";

const words = await english();

/** Half a second that plays everywhere at once. */
class Video extends EventTarget {
  videoWidth = 4;
  videoHeight = 3;
  duration = 0.5;

  set src(/** @type {string} */ _) {
    this.dispatchEvent(new Event("loadedmetadata"));
  }

  set currentTime(/** @type {number} */ _) {
    this.dispatchEvent(new Event("seeked"));
  }

  async play() {}
  pause() {}
  load() {}
  removeAttribute() {}
}

class Button {
  /** @param {string} action */
  constructor(action) {
    this.dataset = { action };
  }
}

/** A gateway that answers each frame at once. */
class Answering extends Peer {
  /** @override @param {unknown} data */
  send(data) {
    super.send(data);
    if (data instanceof Uint8Array) queueMicrotask(() => this.result(this.sequences.length - 1, 1));
  }
}

describe("the card of a video", () => {
  /** @type {(() => Promise<void>)[]} whose turn has not come */
  let turns;
  /** @type {Peer[]} one for each analysis */
  let peers;
  /** @type {unknown[]} samples that were kept */
  let kept;
  /** @type {(session: { id: number }) => void} */
  let created;
  /** @type {(error: unknown) => void} */
  let failed;
  /** @type {{ dataset: { phase: string }, onclick?: (event: { target: Button }) => void }} */
  let card;

  /** @param {string} action */
  const press = (action) => card.onclick?.({ target: new Button(action) });
  const takeTurns = async () => {
    for (const run of turns.splice(0)) await run();
  };

  beforeEach(() => {
    turns = [];
    peers = [];
    kept = [];
    const canvas = { getContext: () => ({ canvas, drawImage() {} }), toBlob: (/** @type {BlobCallback} */ done) => done(new Blob()) };
    Object.assign(globalThis, { HTMLButtonElement: Button, document: { createElement: () => canvas } });
    const part = { style: { setProperty() {} }, replaceChildren() {} };
    const video = new Video();
    card = Object.assign({ dataset: { phase: "" } }, {
      querySelector: (/** @type {string} */ selector) => (selector === "video" ? video : part),
    });
    const openSocket = () => {
      const peer = new Answering();
      peers.push(peer);
      queueMicrotask(() => peer.ready());
      return peer;
    };
    const store = {
      create: () => new Promise((resolve, reject) => [created, failed] = [resolve, reject]),
      append: async (/** @type {number} */ _, /** @type {unknown[]} */ samples) => void kept.push(...samples),
    };
    const outside = { openSocket, store, perSecond: () => 2, queue: (/** @type {() => Promise<void>} */ run) => void turns.push(run) };
    analyseVideo(words, new File([], "smile.webm"), /** @type {any} */ (card), /** @type {any} */ (outside));
  });

  test("one that was cancelled while it waited and is wanted again is analysed once", async () => {
    press("cancel");
    press("again");
    await takeTurns();
    assert.equal(card.dataset.phase, "done");
    assert.equal(peers.length, 1);
  });

  test("what is kept is what was seen then, also where it is analysed again at once", async () => {
    await takeTurns();
    press("keep");
    press("again");
    const again = takeTurns();
    created({ id: 1 });
    await again;
    assert.equal(kept.length, 1);
  });

  test("that it could not be kept stops nothing that came after", async () => {
    await takeTurns();
    press("keep");
    press("again");
    failed(new StoreProblem("full"));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(card.dataset.phase, "waiting");
  });

  test("that it could not be kept is said, and may be tried again", async () => {
    await takeTurns();
    press("keep");
    failed(new StoreProblem("full"));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(card.dataset.phase, "done");
  });
});
