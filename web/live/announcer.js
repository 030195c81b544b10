/** Decides when a change of the main label is worth saying aloud: once it has settled, and not too often. */

const SETTLED_MS = 1000;
const PAUSE_MS = 3000;

export class Announcer {
  #said = "";
  #saidMs = -Infinity;
  #candidate = "";
  #sinceMs = 0;

  /**
   * @param {string} label what the main face expresses now
   * @param {number} nowMs
   * @returns {boolean} whether now is the time to say it
   */
  consider(label, nowMs) {
    if (label !== this.#candidate) {
      this.#candidate = label;
      this.#sinceMs = nowMs;
    }
    const settled = nowMs - this.#sinceMs >= SETTLED_MS;
    if (label === this.#said || !settled || nowMs - this.#saidMs < PAUSE_MS) return false;
    this.#said = label;
    this.#saidMs = nowMs;
    return true;
  }
}
