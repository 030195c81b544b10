/** Permission to send frames, given by the gateway and spent here. */

export class Credits {
  #available = 0;

  /** Frames that may be sent now. */
  get available() {
    return this.#available;
  }

  /**
   * A connection begins: what an earlier one granted is void.
   *
   * @param {number} window
   */
  restart(window) {
    this.#available = window;
  }

  /** @param {number} credits */
  add(credits) {
    this.#available += credits;
  }

  /** Use one credit; false, and nothing used, when there is none. */
  spend() {
    if (this.#available === 0) return false;
    this.#available -= 1;
    return true;
  }
}
