/** Finding, filling and making elements, drawing on canvases, and handing files to the browser. */

/** @type {Find} */
export function find(selector, root = document) {
	const found = root.querySelector(selector);
	if (!found) throw new Error(`the page has no \`${selector}\``);
	return /** @type {any} */ (found);
}

/** @type {Put} */
export function put(selector, text, root) {
	const found = find(selector, root);
	if (found.textContent !== text) found.textContent = text;
}

/** What is inside a template. @param {string} name */
export function copyOf(name) {
	const { content } = /** @type {HTMLTemplateElement} */ (find(`#${name}-template`));
	return find("*", /** @type {DocumentFragment} */ (content.cloneNode(true)));
}

/** @type {MakeElement} */
export function element(name, text = "", ...children) {
	const made = document.createElement(name);
	made.append(text, ...children);
	return made;
}

/** Reading a large file may take the browser a while. */
const KEPT_MS = 60_000;

/** @type {Download} */
export function download(content, name, type) {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(new Blob([content], { type }));
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}

/** @type {Sharpen} */
export function sharpen(canvas) {
	const { clientWidth: width, clientHeight: height } = canvas;
	const context = contextOf(canvas);
	canvas.width = width * devicePixelRatio;
	canvas.height = height * devicePixelRatio;
	context.scale(devicePixelRatio, devicePixelRatio);
	return { context, size: { width, height } };
}

/** @type {CanvasOf} */
export function canvasOf(width, height, canvas = document.createElement("canvas")) {
	canvas.width = Math.max(1, Math.round(width));
	canvas.height = Math.max(1, Math.round(height));
	return contextOf(canvas);
}

/** @type {FileOf} */
export function fileOf({ canvas }, type, quality) {
	return new Promise((resolve, reject) => canvas.toBlob(
		(blob) => (blob ? resolve(blob) : reject(new DOMException("no room for a picture", "EncodingError"))), type, quality,
	));
}

/** @param {HTMLCanvasElement} canvas */
function contextOf(canvas) {
	return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/** Trouble that people are told of. @template {string} Kind */
export class Problem extends Error {
	/** @param {Kind} kind chooses the words @param {unknown} [cause] */
	constructor(kind, cause) {
		super(kind, { cause });
		this.kind = kind;
	}
}
