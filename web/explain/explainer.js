/** Explains one face of a frozen frame at a time; what is no longer looked at is no longer asked for. */

import { ExplanationProblem, requestExplanation } from "./answer.js";
import { cutFace } from "./region.js";

/** @typedef {import("../stream/messages.js").Face} Face */

const ANSWER_WITHIN_MS = 20_000;
const NO_PICTURE = "This browser could not cut the face out of the picture. Resume and pause again.";

export class Explainer {
  #panel;
  #ask;
  #asking = new AbortController();

  /**
   * @param {import("./panel.js").ExplanationPanel} panel
   * @param {import("./answer.js").Ask} ask
   */
  constructor(panel, ask) {
    this.#panel = panel;
    this.#ask = ask;
    panel.listen({ onClose: () => this.#asking.abort() });
  }

  /**
   * @param {Blob} frame the frozen frame, a JPEG
   * @param {Face} face
   * @param {boolean} mirrored whether the frame is shown as in a mirror
   */
  async explain(frame, face, mirrored) {
    this.#asking.abort();
    const asking = new AbortController();
    this.#asking = asking;
    this.#panel.open(face.label);
    const timer = setTimeout(() => asking.abort(new DOMException("no answer", "TimeoutError")), ANSWER_WITHIN_MS);
    try {
      const jpeg = await cutFace(frame, face.box);
      if (!jpeg) throw new ExplanationProblem(NO_PICTURE);
      const explanation = await requestExplanation(this.#ask, jpeg, face.label, asking.signal);
      if (asking === this.#asking) await this.#panel.show(explanation, mirrored);
    } catch (error) {
      if (asking !== this.#asking || !this.#panel.isOpen) return; // nobody waits for it any more
      if (!(error instanceof ExplanationProblem)) throw error;
      this.#panel.fail(error.message);
    } finally {
      clearTimeout(timer);
    }
  }

  close() {
    this.#panel.close();
  }
}
