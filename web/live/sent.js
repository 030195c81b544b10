/** Frames on their way, and the last one that came back analysed: in memory only, a handful at most. */

/** @typedef {import("../stream/messages.js").Result} Result */

/** More are never on their way: the gateway gives fewer credits. */
const MOST = 8;

export class SentFrames {
  /** @type {{ jpeg: ArrayBuffer, capturedMs: number }[]} oldest first */
  #waiting = [];
  /** @type {{ jpeg: Blob, result: Result } | null} */
  #analysed = null;

  /** The last frame with its result; null before the first. */
  get analysed() {
    return this.#analysed;
  }

  /**
   * A frame is sent.
   *
   * @param {ArrayBuffer} jpeg
   * @param {number} capturedMs
   */
  add(jpeg, capturedMs) {
    this.#waiting.push({ jpeg, capturedMs });
    if (this.#waiting.length > MOST) this.#waiting.shift();
  }

  /**
   * A result is in: frames before it will get none.
   *
   * @param {Result} result
   */
  answered(result) {
    const index = this.#waiting.findIndex((frame) => frame.capturedMs === result.captured_ms);
    const [frame] = this.#waiting.splice(0, index + 1).slice(-1);
    this.#analysed = frame ? { jpeg: new Blob([frame.jpeg], { type: "image/jpeg" }), result } : null;
  }

  clear() {
    this.#waiting = [];
    this.#analysed = null;
  }
}
