/** What is said over `fer.v1` by both sides, and what other answers share with it. */

/** It does not have the shape; `field` names the place, such as `faces[2].box.x`. */
export class MalformedMessage extends Error {
	/** @param {string} field @param {ErrorOptions} [options] */
	constructor(field, options) {
		super(`\`${field}\` is not what it should be`, options);
		this.field = field;
	}
}

/** @satisfies {Record<string, (value: any) => boolean>} */
export const is = {
	text: (value) => typeof value === "string",
	number: (value) => typeof value === "number",
	count: (value) => Number.isInteger(value) && value >= 0,
	flag: (value) => typeof value === "boolean",
	object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

/** @type {ReadShape} */
export function read(value, shape, field = "") {
	if (typeof shape === "function") {
		insist(shape(value), field);
		return value;
	}
	insist(Array.isArray(shape) ? Array.isArray(value) : is.object(value), field);
	if (Array.isArray(value)) return value.map((item, index) => read(item, shape[0], `${field}[${index}]`));
	return Object.fromEntries(Object.entries(shape).map(([key, inner]) => (
		[key, read(value[key], inner, field ? `${field}.${key}` : key)]
	)));
}

/** @param {boolean} isRight @param {string} field */
export function insist(isRight, field) {
	if (!isRight) throw new MalformedMessage(field);
}

/** @param {string} json @returns {unknown} */
export function parseJson(json) {
	try {
		return JSON.parse(json);
	} catch (cause) {
		throw new MalformedMessage("JSON", { cause });
	}
}

const CARD = { name: is.text, version: is.text, labels: [is.text] };
const PROBLEM = { title: is.text, status: is.number, detail: is.text, code: is.text };
const FACE = {
	id: is.count,
	box: { x: is.number, y: is.number, width: is.number, height: is.number },
	label: is.text,
	confidence: is.number,
	probabilities: [is.number],
	uncertain: is.flag,
	reasons: [is.text],
};
const MESSAGES = new Map(Object.entries({
	ready: { type: is.text, card: CARD, window: is.count },
	result: {
		type: is.text,
		seq: is.count,
		captured_ms: is.number,
		width: is.count,
		height: is.count,
		faces: [FACE],
		dropped: is.count,
		credits: is.count,
	},
	model: { type: is.text, card: CARD },
	grant: { type: is.text, credits: is.count },
	error: {
		type: is.text,
		problem: PROBLEM,
		seq: (/** @type {unknown} */ value) => value === null || is.count(value),
		credits: is.count,
	},
}));

/** @type {ParseMessage} */
export function parseMessage(data) {
	insist(is.text(data), "data");
	const message = parseJson(`${data}`);
	const { type } = read(message, { type: is.text });
	const shape = MESSAGES.get(type);
	if (!shape) return null;
	const parsed = read(type === "error" ? { seq: null, credits: 0, .../** @type {object} */ (message) } : message, shape);
	if ("card" in parsed) parseCard(parsed.card);
	return parsed;
}

/** @type {ParseCard} */
export function parseCard(value) {
	const card = read(value, CARD, "card");
	insist(card.labels.length > 1, "card.labels");
	return card;
}

/** @type {ParseFace} */
export function parseFace(value) {
	return read(value, FACE, "face");
}

/** @type {ParseProblem} */
export function parseProblem(value) {
	return read(value, PROBLEM, "problem");
}

/** WebSocket subprotocol that both sides name. */
export const SUBPROTOCOL = "fer.v1";
/** First message of every connection. */
export const helloWith = (token = "") => JSON.stringify({ type: "hello", ...(token && { token }), options: {} });
/** The picture changes altogether. */
export const RESET = JSON.stringify({ type: "reset" });

const HEADER_BYTES = 16;
const VERSION = 1;

/** @type {EncodeFrame} */
export function encodeFrame(sequence, capturedMs, jpeg) {
	const message = new Uint8Array(HEADER_BYTES + jpeg.byteLength);
	const header = new DataView(message.buffer);
	message.set([0x46, 0x45, VERSION, 0]); // "FE", version, no flags
	header.setUint32(4, sequence, true);
	header.setFloat64(8, capturedMs, true);
	message.set(new Uint8Array(jpeg), HEADER_BYTES);
	return message;
}

/** Address of the stream on the gateway that served the page. @param {string} pageAddress */
export function streamAddress(pageAddress) {
	return new URL("/api/v1/stream", pageAddress).href.replace(/^http/, "ws");
}
