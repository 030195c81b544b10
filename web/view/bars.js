/** One bar for each emotion of the model, always in the same order. */

import { find, stamp } from "./elements.js";
import { NOTHING, percent } from "./format.js";

/** @typedef {{ root: HTMLElement, meter: HTMLElement, value: HTMLElement }} Row */

export class Bars {
  #root;
  #template;
  /** @type {Row[]} */
  #rows = [];

  /**
   * @param {HTMLElement} root
   * @param {HTMLTemplateElement} template one row
   */
  constructor(root, template) {
    this.#root = root;
    this.#template = template;
  }

  /** @param {readonly string[]} labels of the model, in its order */
  setLabels(labels) {
    this.#rows = labels.map((label) => this.#row(label));
    this.#root.replaceChildren(...this.#rows.map((row) => row.root));
  }

  /** @param {readonly number[]} probabilities in label order */
  render(probabilities) {
    const highest = Math.max(...probabilities);
    this.#rows.forEach(({ root, meter, value }, index) => {
      const share = probabilities[index] ?? 0;
      root.classList.toggle("leading", share === highest);
      meter.style.setProperty("--share", `${share}`);
      meter.setAttribute("aria-valuenow", `${Math.round(100 * share)}`);
      value.textContent = percent(share);
    });
  }

  clear() {
    for (const { root, meter, value } of this.#rows) {
      root.classList.remove("leading");
      meter.style.setProperty("--share", "0");
      meter.removeAttribute("aria-valuenow");
      value.textContent = NOTHING;
    }
  }

  /**
   * @param {string} label
   * @returns {Row}
   */
  #row(label) {
    const root = stamp(this.#template);
    const meter = find(root, ".bar-meter", HTMLElement);
    find(root, ".glyph", HTMLElement).dataset["emotion"] = label;
    find(root, ".bar-name", HTMLElement).textContent = label;
    meter.setAttribute("aria-label", label);
    return { root, meter, value: find(root, ".bar-value", HTMLElement) };
  }
}
