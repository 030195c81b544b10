/** The frozen frame over the video: in memory only, let go when it is hidden. */

export class Still {
  #image;
  #address = "";

  /** @param {HTMLImageElement} image lies exactly over the video */
  constructor(image) {
    this.#image = image;
  }

  /**
   * @param {Blob} frame a JPEG
   * @param {boolean} mirrored
   */
  show(frame, mirrored) {
    this.hide();
    this.#address = URL.createObjectURL(frame);
    this.#image.src = this.#address;
    this.#image.classList.toggle("mirrored", mirrored);
    this.#image.hidden = false;
  }

  hide() {
    this.#image.hidden = true;
    this.#image.removeAttribute("src");
    URL.revokeObjectURL(this.#address);
    this.#address = "";
  }
}
