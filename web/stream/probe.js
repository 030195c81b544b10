/** Looks whether the gateway answers while no stream is open, and which model it serves. */

import { Backoff } from "./backoff.js";
import { MalformedMessage, parseCard } from "./messages.js";

/** @typedef {import("./messages.js").Card} Card */

export class Probe {
  #request;
  #onCard;
  #onUnreachable;
  #backoff;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  #round = 0; // answers to an earlier round come too late

  /**
   * @param {() => Promise<Response>} request asks for the model card
   * @param {{ onCard: (card: Card) => void, onUnreachable: () => void }} listener
   * @param {Backoff} backoff
   */
  constructor(request, { onCard, onUnreachable }, backoff = new Backoff()) {
    this.#request = request;
    this.#onCard = onCard;
    this.#onUnreachable = onUnreachable;
    this.#backoff = backoff;
  }

  /** Ask until there is an answer. */
  start() {
    this.stop();
    this.#backoff.reset();
    void this.#ask(this.#round);
  }

  stop() {
    this.#round += 1;
    clearTimeout(this.#retry);
  }

  /** @param {number} round */
  async #ask(round) {
    const card = await this.#fetchCard();
    if (round !== this.#round) return;
    if (card) {
      this.#onCard(card);
    } else {
      this.#onUnreachable();
      this.#retry = setTimeout(() => void this.#ask(round), this.#backoff.nextMs());
    }
  }

  /** @returns {Promise<Card | null>} null when the gateway does not answer, or not yet with a model */
  async #fetchCard() {
    try {
      const response = await this.#request();
      return response.ok ? parseCard(await response.json()) : null;
    } catch (error) {
      const expected = error instanceof TypeError // no connection
        || error instanceof SyntaxError // no JSON: a proxy's error page
        || error instanceof DOMException // took too long
        || error instanceof MalformedMessage;
      if (!expected) throw error;
      return null;
    }
  }
}
