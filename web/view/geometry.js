/** Where a box of the picture lies on the screen. */

/** @typedef {import("../stream/messages.js").Box} Box */
/** @typedef {{ width: number, height: number }} Size */
/** @typedef {{ left: number, top: number, width: number, height: number }} Rectangle in CSS pixels of the stage */
/** @typedef {"cover" | "contain" | "fill"} Fit how a picture fills its element, as CSS `object-fit` */

/**
 * The rectangle that a centred picture takes on a stage. With `cover` it reaches over the edges.
 *
 * @param {Size} picture
 * @param {Size} stage
 * @param {Fit} fit
 * @returns {Rectangle}
 */
export function fitPicture(picture, stage, fit) {
  if (fit === "fill") return { left: 0, top: 0, ...stage };
  const across = stage.width / picture.width;
  const down = stage.height / picture.height;
  const scale = fit === "cover" ? Math.max(across, down) : Math.min(across, down);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { left: (stage.width - width) / 2, top: (stage.height - height) / 2, width, height };
}

/**
 * A box in fractions of the picture, on the stage.
 *
 * @param {Box} box
 * @param {Rectangle} picture from `fitPicture`
 * @param {boolean} mirrored whether the picture is shown as in a mirror
 * @returns {Rectangle}
 */
export function placeBox(box, picture, mirrored) {
  const x = mirrored ? 1 - box.x - box.width : box.x;
  return {
    left: picture.left + x * picture.width,
    top: picture.top + box.y * picture.height,
    width: box.width * picture.width,
    height: box.height * picture.height,
  };
}
