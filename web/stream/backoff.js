/** Growing, jittered pauses between attempts, so that the pages of a restarted gateway do not return all at once. */

const SHORTEST_MS = 500;
const LONGEST_MS = 8000;

export class Backoff {
  #attempts = 0;
  #random;

  /** @param {() => number} random uniform in 0..1 */
  constructor(random = Math.random) {
    this.#random = random;
  }

  /** Milliseconds to wait: uniform between 500 and a bound that starts at 1000 and doubles up to 8000. */
  nextMs() {
    this.#attempts += 1;
    const bound = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** this.#attempts);
    return SHORTEST_MS + this.#random() * (bound - SHORTEST_MS);
  }

  /** The last attempt worked. */
  reset() {
    this.#attempts = 0;
  }
}
