/** Boxes and labels over the video: elements, so that text is never mirrored and stays crisp. */

import { copyOf, find, put } from "./elements.js";
import { emotionOf, numberOf, paint, shortOf } from "./format.js";

/** Room that a label needs above its box, and on its right where there is any. */
const LABEL_HEIGHT_PX = 30;
const LABEL_WIDTH_PX = 160;
/** Narrower boxes, as of many faces on a phone, only have the emotion: longer labels would cover each other. */
const NARROW_PX = 130;

/** @type {OverlayOf} */
export function overlayOf(video, words) {
	const root = find(".faces");
	/** @type {Map<number, HTMLElement>} by the face's id: who has the focus keeps it */
	const boxes = new Map();
	/** @type {Overlay} */
	const overlay = {
		onFace: () => {},

		render(faces, picture, shown) {
			for (const [id, box] of boxes) {
				if (faces.some((face) => face.id === id)) continue;
				box.remove();
				boxes.delete(id);
			}
			const stage = { width: video.clientWidth, height: video.clientHeight };
			const place = fitPicture(picture, stage, /** @type {Fit} */ (getComputedStyle(video).objectFit));
			const mirrored = video.classList.contains("mirrored");
			for (const face of faces) {
				const box = boxes.get(face.id) ?? add(face.id);
				const { left, top, width, height } = placeBox(face.box, place, mirrored);
				const narrow = width < NARROW_PX;
				const needed = narrow ? NARROW_PX : LABEL_WIDTH_PX;
				Object.assign(box.style, {
					transform: `translate(${left}px, ${top}px)`, width: `${width}px`, height: `${height}px`,
				});
				box.classList.toggle("uncertain", face.uncertain);
				box.classList.toggle("label-inside", top < LABEL_HEIGHT_PX);
				box.classList.toggle("label-left", left + needed > stage.width && left + width > needed);
				box.ariaPressed = `${face.id === shown}`;
				put(".face-label", (narrow ? emotionOf : shortOf)(words, face), box);
			}
		},

		clear() {
			boxes.clear();
			root.replaceChildren();
		},
	};
	return overlay;

	/** @param {number} id */
	function add(id) {
		const box = copyOf("face");
		put(".face-number", numberOf(id), box);
		paint(box, id);
		box.onclick = () => overlay.onFace(id);
		boxes.set(id, box);
		root.append(box);
		return box;
	}
}

/** @type {FitPicture} */
export function fitPicture(picture, stage, fit) {
	if (fit === "fill") return { left: 0, top: 0, ...stage };
	const across = stage.width / picture.width;
	const down = stage.height / picture.height;
	const scale = fit === "cover" ? Math.max(across, down) : Math.min(across, down);
	const width = picture.width * scale;
	const height = picture.height * scale;
	return { left: (stage.width - width) / 2, top: (stage.height - height) / 2, width, height };
}

/** @type {PlaceBox} */
export function placeBox(box, picture, mirrored) {
	const x = mirrored ? 1 - box.x - box.width : box.x;
	return {
		left: picture.left + x * picture.width,
		top: picture.top + box.y * picture.height,
		width: box.width * picture.width,
		height: box.height * picture.height,
	};
}

/** Intersection over union: 0 for boxes apart, 1 for equal ones. @type {CompareBoxes} */
export function overlap(one, other) {
	const across = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
	const down = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
	const shared = Math.max(0, across) * Math.max(0, down);
	return shared / (one.width * one.height + other.width * other.height - shared);
}
