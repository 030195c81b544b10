/** The explanation on the screen: a dialog with the face, the heat over it, and a sentence. */

import { find } from "../view/elements.js";
import { ExplanationProblem } from "./answer.js";
import { inWords } from "./words.js";

/** @typedef {import("./answer.js").Explanation} Explanation */

export class ExplanationPanel {
  #dialog;
  #label;
  #words;
  #images;
  #heat;

  /** @param {Document} document */
  constructor(document) {
    this.#dialog = find(document, "#explanation", HTMLDialogElement);
    this.#label = find(this.#dialog, ".explanation-label", HTMLElement);
    this.#words = find(this.#dialog, ".explanation-words", HTMLElement);
    this.#images = [...this.#dialog.querySelectorAll("img")];
    this.#heat = find(this.#dialog, ".explanation-heat", HTMLImageElement);
    find(this.#dialog, ".explanation-close", HTMLButtonElement).addEventListener("click", () => this.close());
    this.#dialog.addEventListener("click", (event) => event.target === this.#dialog && this.close()); // beside it
    this.#dialog.addEventListener("close", () => this.#forget());
  }

  /** @param {{ onClose: () => void }} handlers */
  listen({ onClose }) {
    this.#dialog.addEventListener("close", onClose);
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** @param {string} label what is going to be explained */
  open(label) {
    this.#forget();
    this.#label.textContent = label;
    this.#say("busy", "Asking the gateway…");
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /**
   * @param {Explanation} explanation
   * @param {boolean} mirrored whether to show it as in a mirror
   * @throws {ExplanationProblem}
   */
  async show(explanation, mirrored) {
    for (const image of this.#images) {
      image.src = image === this.#heat ? explanation.heatMap : explanation.crop;
      image.classList.toggle("mirrored", mirrored);
    }
    try {
      await Promise.all(this.#images.map((image) => image.decode()));
    } catch (error) {
      throw new ExplanationProblem("The gateway's pictures cannot be shown. Choose the face again.", { cause: error });
    }
    this.#label.textContent = explanation.label;
    this.#say("done", inWords(explanation, mirrored));
  }

  /** @param {string} words what went wrong, and what to do */
  fail(words) {
    this.#say("failed", words);
  }

  close() {
    this.#dialog.close();
  }

  /**
   * @param {"busy" | "done" | "failed"} state
   * @param {string} words
   */
  #say(state, words) {
    this.#dialog.dataset["state"] = state;
    this.#words.textContent = words;
  }

  /** Pictures of a face stay no longer than they are looked at. */
  #forget() {
    for (const image of this.#images) image.removeAttribute("src");
  }
}
