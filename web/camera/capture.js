/** Video frames: told when there is a new one, and turned into small JPEGs. */

const LONGEST_WIDTH_PX = 480;
const JPEG_QUALITY = 0.8;

/** A capture time further back than this comes from another clock. */
const PLAUSIBLE_AGE_MS = 2000;

/**
 * Call back for each new frame, with its capture time on the clock of `performance.now`.
 *
 * @param {HTMLVideoElement} video
 * @param {(capturedMs: number) => void} onFrame
 * @returns {() => void} stops it
 */
export function watchFrames(video, onFrame) {
  return "requestVideoFrameCallback" in video ? watchPresented(video, onFrame) : watchTime(video, onFrame);
}

/**
 * Size to send: at most 480 px wide, never enlarged.
 *
 * @param {number} width
 * @param {number} height
 */
export function sizeToSend(width, height) {
  const scale = Math.min(1, LONGEST_WIDTH_PX / width);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Draws and encodes one frame at a time, on one canvas. */
export class FrameEncoder {
  #canvas;
  #context;

  constructor() {
    this.#canvas = typeof OffscreenCanvas === "undefined" ? document.createElement("canvas") : new OffscreenCanvas(1, 1);
    this.#context = /** @type {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} */ (
      this.#canvas.getContext("2d", { alpha: false })
    );
  }

  /**
   * The frame that the video shows now.
   *
   * @param {HTMLVideoElement} video
   * @returns {Promise<ArrayBuffer | null>} a JPEG; null while the video has no picture or the browser cannot encode it
   */
  async encode(video) {
    if (video.videoWidth === 0) return null;
    const { width, height } = sizeToSend(video.videoWidth, video.videoHeight);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context.drawImage(video, 0, 0, width, height);
    return (await toJpeg(this.#canvas))?.arrayBuffer() ?? null;
  }
}

/**
 * @param {HTMLCanvasElement | OffscreenCanvas} canvas
 * @returns {Promise<Blob | null>}
 */
function toJpeg(canvas) {
  if ("convertToBlob" in canvas) return canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
}

/**
 * @param {HTMLVideoElement} video
 * @param {(capturedMs: number) => void} onFrame
 */
function watchPresented(video, onFrame) {
  let handle = video.requestVideoFrameCallback(presented);
  return () => video.cancelVideoFrameCallback(handle);

  /** @param {number} now @param {VideoFrameCallbackMetadata} metadata */
  function presented(now, { captureTime }) {
    handle = video.requestVideoFrameCallback(presented);
    const known = captureTime !== undefined && captureTime <= now && now - captureTime < PLAUSIBLE_AGE_MS;
    onFrame(known ? captureTime : now);
  }
}

/**
 * For browsers without `requestVideoFrameCallback`: a frame is new when the video's time moved.
 *
 * @param {HTMLVideoElement} video
 * @param {(capturedMs: number) => void} onFrame
 */
function watchTime(video, onFrame) {
  let shown = -1;
  let handle = requestAnimationFrame(tick);
  return () => cancelAnimationFrame(handle);

  /** @param {number} now */
  function tick(now) {
    handle = requestAnimationFrame(tick);
    if (video.currentTime === shown) return;
    shown = video.currentTime;
    onFrame(now);
  }
}
