/** Timelines, one line for each class from 0 at the lower edge to 1 at the upper, and pictures to keep. */

import { canvasOf, download, fileOf } from "../view/elements.js";
import { lineOf, numberOf, shortOf } from "../view/format.js";
import { placeBox } from "../view/overlay.js";

const LINE_PX = 1.75;
/** Samples closer than this become their mean: thousands of points would cost frames and show nothing more. */
const BIN_PX = 1.5;
const MARK_PX = 10;
const MARKS_ACROSS = 5;
/** Marks of a class that hardly counts would only lie over each other. */
const LEAST_MARKED = 0.12;

/** @type {DrawTimeline} */
export function drawTimeline(context, { width, height }, { labels, colours, samples, fromMs, toMs }) {
	const scale = width / Math.max(1, toMs - fromMs);
	const shown = samples.slice(Math.max(0, indexAt(samples, fromMs)), indexAt(samples, toMs) + 2);
	const endMs = shown.at(-1)?.atMs ?? fromMs;
	const stepMs = (toMs - fromMs) / MARKS_ACROSS;
	/** @param {number} atMs */
	const across = (atMs) => (atMs - fromMs) * scale;
	/** @param {number} share */
	const down = (share) => LINE_PX + (1 - share) * (height - 2 * LINE_PX);
	context.clearRect(0, 0, width, height);
	context.lineWidth = LINE_PX;
	context.lineJoin = "bevel";
	context.font = `${MARK_PX}px sans-serif`;
	context.textAlign = "center";
	context.textBaseline = "middle";

	labels.forEach((_, index) => {
		context.strokeStyle = context.fillStyle = colours[index] ?? "";
		context.beginPath();
		let [drawing, bin, count, sum, sumMs] = [false, NaN, 0, 0, 0];
		const draw = () => {
			if (count === 0) return;
			context[drawing ? "lineTo" : "moveTo"](across(sumMs / count), down(sum / count));
			drawing = true;
			count = sum = sumMs = 0;
		};
		for (const { atMs, probabilities } of shown) {
			const next = Math.floor((atMs * scale) / BIN_PX);
			if (next !== bin || !probabilities) draw();
			bin = next;
			drawing &&= probabilities !== null;
			if (!probabilities) continue;
			count += 1;
			sum += probabilities[index] ?? 0;
			sumMs += atMs;
		}
		draw();
		context.stroke();

		// At fixed times, so that marks move with their line, and each class at its own.
		const offset = index / labels.length;
		for (let turn = Math.ceil(fromMs / stepMs - offset); (turn + offset) * stepMs <= toMs; turn += 1) {
			const atMs = (turn + offset) * stepMs;
			const share = samples[indexAt(samples, atMs)]?.probabilities?.[index] ?? 0;
			if (share >= LEAST_MARKED && atMs <= endMs) context.fillText(markOf(index), across(atMs), down(share));
		}
	});
}

/** @type {IndexAt} */
export function indexAt(samples, atMs) {
	let low = 0;
	let high = samples.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((samples[middle]?.atMs ?? 0) <= atMs) low = middle + 1;
		else high = middle;
	}
	return low - 1;
}

/** Shapes that no system draws as a coloured picture. */
const MARKS = [..."●■▲▼◆○□△▽◇"];

const COLOURS = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"];

/** @type {ColoursOf} */
export function coloursOf(labels, element) {
	const style = getComputedStyle(element);
	return labels.map((label, index) => {
		const name = COLOURS.includes(label) ? label : COLOURS[index % COLOURS.length];
		return style.getPropertyValue(`--emotion-${name}`).trim();
	});
}

/** @param {number} index of the label */
export function markOf(index) {
	return MARKS[index % MARKS.length] ?? "";
}

const SCALE = 2;
const LEFT = 70;
const TOP = 130;
const WIDTH = 1090;
const HEIGHT = 450;
const WHOLE = { width: 1200, height: 640 };
const TICKS = 6;

/** @type {DrawPicture} */
export function drawPicture(words, element, { name, labels, durationMs, moments }, samples, clock) {
	const style = getComputedStyle(element);
	const colours = coloursOf(labels, element);
	const context = canvasOf(WHOLE.width * SCALE, WHOLE.height * SCALE);
	context.setTransform(SCALE, 0, 0, SCALE, SCALE * LEFT, SCALE * TOP);
	const size = { width: WIDTH, height: HEIGHT };
	drawTimeline(context, size, { labels, colours, samples, fromMs: 0, toMs: durationMs });

	/** @type {WriteText} */
	const write = (text, x, y, align = "center", sizePx = 16) => {
		context.font = `${sizePx}px system-ui, sans-serif`;
		context.textAlign = align;
		context.fillText(text, x, y);
	};
	context.fillStyle = style.getPropertyValue("--text");
	context.strokeStyle = style.getPropertyValue("--line");
	context.lineWidth = 1;
	context.strokeRect(0, 0, WIDTH, HEIGHT);
	write(name, 0, 36 - TOP, "start", 26);
	for (const share of [0, 0.5, 1]) write(words.percent(share), -10, (1 - share) * HEIGHT, "end");
	for (let tick = 0; tick <= TICKS; tick += 1) {
		write(clock((durationMs * tick) / TICKS), (WIDTH * tick) / TICKS, HEIGHT + 24);
	}
	for (const { atMs, text } of moments) {
		const x = (WIDTH * atMs) / durationMs;
		context.fillRect(x, 0, 1, HEIGHT);
		write(text || clock(atMs), x, -14, "center", 14);
	}
	let x = 0;
	labels.forEach((label, index) => {
		const entry = `${markOf(index)} ${words.emotion(label)}`;
		context.fillStyle = colours[index] ?? "";
		write(entry, x, 76 - TOP, "start");
		x += context.measureText(entry).width + 24;
	});
	context.globalCompositeOperation = "destination-over"; // drawing the lines cleared what was below
	context.fillStyle = style.getPropertyValue("--surface");
	context.fillRect(-LEFT, -TOP, WHOLE.width, WHOLE.height);
	return fileOf(context, "image/png");
}

/** Labels are crisp from this width on. */
const LEAST_WIDTH_PX = 960;
const TEXT_PX = 22;

/** @type {SavePicture} */
export async function savePicture({ jpeg, result }, mirrored, words) {
	const style = getComputedStyle(document.documentElement);
	const frame = await createImageBitmap(jpeg);
	const scale = Math.max(1, LEAST_WIDTH_PX / frame.width);
	const context = canvasOf(frame.width * scale, frame.height * scale);
	const { width, height } = context.canvas;
	if (mirrored) context.setTransform(-1, 0, 0, 1, width, 0);
	context.drawImage(frame, 0, 0, width, height);
	frame.close();
	context.resetTransform();
	context.font = `600 ${TEXT_PX}px system-ui, sans-serif`;
	context.textBaseline = "middle";
	context.lineWidth = 4;
	for (const face of result.faces) {
		const box = placeBox(face.box, { left: 0, top: 0, width, height }, mirrored);
		context.strokeStyle = style.getPropertyValue(lineOf(face.id)).trim();
		context.setLineDash(face.uncertain ? [12, 8] : []);
		context.strokeRect(box.left, box.top, box.width, box.height);
		const text = `${numberOf(face.id)}  ${shortOf(words, face)}`;
		const top = Math.max(0, box.top - 2 * TEXT_PX);
		context.fillStyle = style.getPropertyValue("--stage").trim();
		context.fillRect(box.left, top, context.measureText(text).width + TEXT_PX, 1.8 * TEXT_PX);
		context.fillStyle = context.strokeStyle;
		context.fillText(text, box.left + TEXT_PX / 2, top + 0.9 * TEXT_PX);
	}
	const time = new Date().toISOString().slice(0, 19).replaceAll(/[T:]/g, "-");
	download(await fileOf(context, "image/png"), `fer-gateway-${time}.png`, "image/png");
}
