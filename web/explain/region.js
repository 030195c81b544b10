/** The part of a frame that is sent to be explained: one face with room around it. */

/** @typedef {import("../stream/messages.js").Box} Box */
/** @typedef {{ left: number, top: number, width: number, height: number }} Region whole pixels of the frame */

/** Room on each side, in sides of the face: enough for the gateway to find it again, and the largest there. */
const ROOM_SIDES = 0.6;

/** Smaller parts are enlarged to this, since a face detector finds no tiny faces. */
const LEAST_SIDE_PX = 240;
const MOST_ENLARGED = 4;

const JPEG_QUALITY = 0.92;

/**
 * @param {Box} box a face, in fractions of the frame
 * @param {{ width: number, height: number }} frame in pixels
 * @returns {Region} at least one pixel, inside the frame
 */
export function regionAround(box, frame) {
  const room = ROOM_SIDES * Math.max(box.width * frame.width, box.height * frame.height);
  const left = within(Math.floor(box.x * frame.width - room), 0, frame.width - 1);
  const top = within(Math.floor(box.y * frame.height - room), 0, frame.height - 1);
  const right = within(Math.ceil((box.x + box.width) * frame.width + room), left + 1, frame.width);
  const bottom = within(Math.ceil((box.y + box.height) * frame.height + room), top + 1, frame.height);
  return { left, top, width: right - left, height: bottom - top };
}

/**
 * By how much a part is enlarged before it is sent; never shrunk.
 *
 * @param {Region} region
 */
export function enlargement({ width, height }) {
  return within(LEAST_SIDE_PX / Math.min(width, height), 1, MOST_ENLARGED);
}

/**
 * Cut a face out of a frame.
 *
 * @param {Blob} frame a JPEG
 * @param {Box} box
 * @returns {Promise<Blob | null>} a JPEG; null when the browser cannot encode it
 */
export async function cutFace(frame, box) {
  const picture = await createImageBitmap(frame);
  const { left, top, width, height } = regionAround(box, picture);
  const scale = enlargement({ left, top, width, height });
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
  context.drawImage(picture, left, top, width, height, 0, 0, canvas.width, canvas.height);
  picture.close();
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function within(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
