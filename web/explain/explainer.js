/** Explains one face of a frozen frame at a time: it is cut out, the gateway asked, and the answer shown and told. */

import { insist, is, MalformedMessage, parseProblem, read } from "../stream/messages.js";
import { isNoAnswer } from "../stream/probe.js";
import { canvasOf, fileOf, find, put } from "../view/elements.js";

const ANSWER_WITHIN_MS = 20_000;

/** @type {ExplainerWith} */
export function explainerWith(words, ask) {
	const dialog = find("dialog#explanation");
	const images = [...dialog.querySelectorAll("img")];
	let asking = new AbortController(); // what is no longer looked at is no longer asked for
	dialog.onclose = () => {
		asking.abort();
		forget();
	};
	return { explain, close: () => dialog.close() };

	/** @type {Explainer["explain"]} */
	async function explain(frame, face, mirrored) {
		asking.abort();
		const current = asking = new AbortController();
		forget();
		name(face.label);
		say("busy", words.say("explain.asking"));
		if (!dialog.open) dialog.showModal();
		const timer = setTimeout(() => current.abort(new DOMException("no answer", "TimeoutError")), ANSWER_WITHIN_MS);
		try {
			const explanation = await requestExplanation(ask, await cutFace(frame, face.box), face.label, current.signal, words);
			if (current === asking) await show(explanation, mirrored);
		} catch (error) {
			if (current !== asking || !dialog.open) return; // nobody waits for it any more
			if (error instanceof ExplanationProblem) say("failed", error.message);
			else if (error instanceof DOMException) say("failed", words.say("explain.no_picture"));
			else throw error;
		} finally {
			clearTimeout(timer);
		}
	}

	/** @param {Explanation} explanation @param {boolean} mirrored @throws {ExplanationProblem} */
	async function show(explanation, mirrored) {
		for (const image of images) {
			image.src = image.classList.contains("explanation-heat") ? explanation.heatMap : explanation.crop;
			image.classList.toggle("mirrored", mirrored);
		}
		try {
			await Promise.all(images.map((image) => image.decode()));
		} catch (cause) {
			throw new ExplanationProblem(words.say("explain.not_shown"), { cause });
		}
		name(explanation.label);
		say("done", inWords(words, explanation, mirrored));
	}

	/** @param {string} label what is explained */
	function name(label) {
		put("h2", words.say("explain.why", { emotion: words.emotion(label) }), dialog);
	}

	/** @param {"busy" | "done" | "failed"} state @param {string} text */
	function say(state, text) {
		dialog.dataset["state"] = state;
		put(".explanation-words", text, dialog);
	}

	/** Pictures of a face stay no longer than they are looked at. */
	function forget() {
		for (const image of images) image.removeAttribute("src");
	}
}

/** Why there is no explanation, in words that say what to do. */
export class ExplanationProblem extends Error {}

/** Such a picture cannot lead anywhere else. @param {unknown} value */
const isPicture = (value) => is.text(value) && `${value}`.startsWith("data:image/png;base64,");
const SHAPE = { label: is.text, probability: is.number, grid: [[is.number]], crop: isPicture, heat_map: isPicture };

/** @type {RequestExplanation} */
export async function requestExplanation(ask, jpeg, label, signal, words) {
	try {
		const response = await ask(jpeg, label, signal);
		const body = await response.json();
		if (response.ok) return parseExplanation(body);
		const { code, title, detail } = parseProblem(body);
		// The gateway's own words are for programmers: only where the page has no better ones.
		throw new ExplanationProblem(words.name("explain.problems", code, `${title}. ${detail}`));
	} catch (error) {
		if (!isNoAnswer(error)) throw error;
		const senseless = error instanceof MalformedMessage || error instanceof SyntaxError;
		throw new ExplanationProblem(words.say(`explain.${senseless ? "senseless" : "unreachable"}`), { cause: error });
	}
}

/** @type {ParseExplanation} */
export function parseExplanation(value) {
	/** @type {Omit<Explanation, "heatMap"> & { heat_map: string }} */
	const { heat_map: heatMap, ...answer } = read(value, SHAPE);
	insist(answer.grid.length > 0 && answer.grid.every((row) => row.length > 0), "grid");
	return { ...answer, heatMap };
}

/** A fall that is worth naming, as a share of 1. */
const WORTH_NAMING = 0.02;

const ACROSS = ["left", "middle", "right"];
const DOWN = ["upper", "middle", "lower"];

/** @type {InWords} */
export function inWords(words, { label, probability, grid }, mirrored) {
	const gives = words.say("explain.gives", { share: words.percent(probability), emotion: words.emotion(label) });
	const { fall, row, column } = strongest(grid);
	if (fall < WORTH_NAMING) return `${gives} ${words.say("explain.nothing")}`;
	const columns = grid[0]?.length ?? 1;
	const across = third(mirrored ? columns - 1 - column : column, columns);
	const place = words.say(`explain.places.${DOWN[third(row, grid.length)]}_${ACROSS[across]}`);
	const left = words.percent(Math.max(0, probability - fall));
	return `${gives} ${words.say("explain.strongest", { place, left })}`;
}

/** @type {Strongest} */
export function strongest(grid) {
	const cells = grid.flatMap((falls, row) => falls.map((fall, column) => ({ fall, row, column })));
	return cells.reduce((most, cell) => (cell.fall > most.fall ? cell : most));
}

/** @param {number} index @param {number} count */
function third(index, count) {
	return Math.floor((3 * (index + 0.5)) / count);
}

/** Room on each side, in sides of the face: enough for the gateway to find it again, and the largest there. */
const ROOM_SIDES = 0.6;
/** Smaller parts are enlarged to this, since a face detector finds no tiny faces. */
const LEAST_SIDE_PX = 240;
const MOST_ENLARGED = 4;
const JPEG_QUALITY = 0.92;

/** @type {RegionAround} */
export function regionAround(box, frame) {
	const room = ROOM_SIDES * Math.max(box.width * frame.width, box.height * frame.height);
	const [left, width] = span(box.x * frame.width, box.width * frame.width, room, frame.width);
	const [top, height] = span(box.y * frame.height, box.height * frame.height, room, frame.height);
	return { left, top, width, height };
}

/** @type {Enlargement} */
export function enlargement({ width, height }) {
	return within(LEAST_SIDE_PX / Math.min(width, height), 1, MOST_ENLARGED);
}

/** @type {CutFace} */
export async function cutFace(frame, box) {
	const picture = await createImageBitmap(frame);
	const { left, top, width, height } = regionAround(box, picture);
	const scale = enlargement({ width, height });
	const context = canvasOf(width * scale, height * scale);
	context.drawImage(picture, left, top, width, height, 0, 0, context.canvas.width, context.canvas.height);
	picture.close();
	return fileOf(context, "image/jpeg", JPEG_QUALITY);
}

/** @type {Span} */
function span(start, length, room, most) {
	const from = within(Math.floor(start - room), 0, most - 1);
	return [from, within(Math.ceil(start + length + room), from + 1, most) - from];
}

/** @param {number} value @param {number} least @param {number} most */
function within(value, least, most) {
	return Math.min(Math.max(value, least), most);
}
