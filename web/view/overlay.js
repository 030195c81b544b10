/** Boxes and labels over the video: elements, so that text is never mirrored and stays crisp. */

import { find, stamp } from "./elements.js";
import { certaintyOf, emotionOf } from "./format.js";
import { fitPicture, placeBox } from "./geometry.js";

/** @typedef {import("../stream/messages.js").Face} Face */
/** @typedef {import("./geometry.js").Fit} Fit */
/** @typedef {import("./geometry.js").Rectangle} Rectangle */

/** Room that a label needs above its box. */
const LABEL_HEIGHT_PX = 30;

export class Overlay {
  #root;
  #video;
  #template;

  /**
   * @param {HTMLElement} root lies exactly over the video
   * @param {HTMLVideoElement} video
   * @param {HTMLTemplateElement} template one box
   */
  constructor(root, video, template) {
    this.#root = root;
    this.#video = video;
    this.#template = template;
  }

  /**
   * @param {readonly Face[]} faces largest first
   * @param {import("./geometry.js").Size} picture size of the analysed picture
   */
  render(faces, picture) {
    while (this.#root.children.length > faces.length) this.#root.lastElementChild?.remove();
    while (this.#root.children.length < faces.length) this.#root.append(stamp(this.#template));
    if (faces.length === 0) return;
    const stage = { width: this.#video.clientWidth, height: this.#video.clientHeight };
    const shown = fitPicture(picture, stage, /** @type {Fit} */ (getComputedStyle(this.#video).objectFit));
    const mirrored = this.#video.classList.contains("mirrored");
    faces.forEach((face, index) => {
      const element = /** @type {HTMLElement} */ (this.#root.children[index]);
      element.classList.toggle("uncertain", face.uncertain);
      place(element, placeBox(face.box, shown, mirrored));
      find(element, ".face-label", HTMLElement).textContent = `${emotionOf(face)} ${certaintyOf(face)}`;
    });
  }

  clear() {
    this.#root.replaceChildren();
  }
}

/**
 * @param {HTMLElement} element
 * @param {Rectangle} rectangle
 */
function place(element, { left, top, width, height }) {
  element.style.transform = `translate(${left}px, ${top}px)`;
  element.style.width = `${width}px`;
  element.style.height = `${height}px`;
  element.classList.toggle("label-inside", top < LABEL_HEIGHT_PX);
}
