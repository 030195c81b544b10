/** The camera: opened into a video element, released for certain. */

import { CameraProblem, cameraProblem } from "./problems.js";

/** Enough for a face, little to encode; a wish, not a demand. */
const CONSTRAINTS = {
  audio: false,
  video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } },
};

export class Camera {
  #video;
  #devices;
  #onLost;
  /** @type {MediaStream | null} */
  #stream = null;
  #attempt = 0; // an opening that was closed meanwhile must not leave the camera on

  /**
   * @param {HTMLVideoElement} video
   * @param {MediaDevices | undefined} devices undefined where the page's address is not secure
   * @param {() => void} onLost the camera ended by itself
   */
  constructor(video, devices, onLost) {
    this.#video = video;
    this.#devices = devices;
    this.#onLost = onLost;
  }

  /**
   * Open the camera that faces the user and play it.
   *
   * @returns {Promise<boolean>} false when `close` was called before it opened
   * @throws {CameraProblem}
   */
  async open() {
    this.close();
    const attempt = this.#attempt;
    const stream = await this.#request();
    if (attempt !== this.#attempt) {
      release(stream);
      return false;
    }
    this.#stream = stream;
    for (const track of stream.getTracks()) {
      track.addEventListener("ended", () => attempt === this.#attempt && this.#onLost());
    }
    this.#video.classList.toggle("mirrored", facesUser(stream));
    this.#video.srcObject = stream;
    try {
      await this.#video.play();
    } catch (error) {
      if (attempt !== this.#attempt) return false;
      this.close();
      throw cameraProblem(error);
    }
    return attempt === this.#attempt;
  }

  /** Stop every track, so that the camera's light goes out. */
  close() {
    this.#attempt += 1;
    if (this.#stream) release(this.#stream);
    this.#stream = null;
    this.#video.srcObject = null;
  }

  async #request() {
    if (!this.#devices) throw new CameraProblem("insecure");
    try {
      return await this.#devices.getUserMedia(CONSTRAINTS);
    } catch (error) {
      throw cameraProblem(error);
    }
  }
}

/** @param {MediaStream} stream */
function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/**
 * Everything but a phone's rear camera shows people to themselves, as a mirror does.
 *
 * @param {MediaStream} stream
 */
function facesUser(stream) {
  return stream.getVideoTracks()[0]?.getSettings().facingMode !== "environment";
}
