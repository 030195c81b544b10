/** Results per second and their latency over the last two seconds. */

const WINDOW_MS = 2000;

export class Meter {
  /** @type {{ atMs: number, latencyMs: number }[]} oldest first */
  #samples = [];
  #startMs;

  /** @param {number} startMs */
  constructor(startMs) {
    this.#startMs = startMs;
  }

  /**
   * A result came in.
   *
   * @param {number} atMs
   * @param {number} latencyMs
   */
  add(atMs, latencyMs) {
    this.#samples.push({ atMs, latencyMs });
    this.#forget(atMs);
  }

  /**
   * @param {number} nowMs
   * @returns {{ framesPerSecond: number, latencyMs: number | null }} the latency is the median; null without results
   */
  read(nowMs) {
    this.#forget(nowMs);
    const spanMs = Math.max(1, Math.min(WINDOW_MS, nowMs - this.#startMs));
    const latencies = this.#samples.map((sample) => sample.latencyMs).sort((first, second) => first - second);
    return {
      framesPerSecond: (1000 * latencies.length) / spanMs,
      latencyMs: latencies[Math.floor(latencies.length / 2)] ?? null,
    };
  }

  /** @param {number} nowMs */
  #forget(nowMs) {
    this.#samples = this.#samples.filter((sample) => nowMs - sample.atMs < WINDOW_MS);
  }
}
