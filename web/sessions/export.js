/** Sessions as files: CSV for spreadsheets, JSON to keep and to import. */

import { insist, is, MalformedMessage, parseJson, read } from "../stream/messages.js";
import { Problem } from "../view/elements.js";
import { factsOf, StoreProblem } from "./store.js";

const FORMAT = "fer-session";
const VERSION = 1;
const LONGEST_TEXT = 10_000;
const LAST_DAY_MS = 8.64e15; // that a date can be

/** Why a file cannot be imported. @extends {Problem<ImportProblemKind>} */
export class ImportProblem extends Problem {
	field = ""; // the place, such as `samples[2].atMs`
}

/** What to say about an error; any but these two is a bug and thrown again. @type {Advice} */
export function advice(words, error) {
	if (error instanceof StoreProblem) return words.say(`storage.${error.kind}`);
	if (error instanceof ImportProblem) return words.say(`sessions.import_${error.kind}`, { field: error.field });
	throw error;
}

/** @type {ToCsv} */
export function toCsv({ name, labels }, samples) {
	const rows = samples.flatMap(({ atMs, faces }) => faces.map((face) => (
		[name, atMs, face.id, face.label, face.confidence, face.uncertain, ...face.probabilities]
	)));
	return csvOf([["session", "at_ms", "face", "label", "confidence", "uncertain", ...labels], ...rows]);
}

/** @type {CsvOf} */
export function csvOf(rows) {
	return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** @param {unknown} value a text that a spreadsheet would take for a formula gets an apostrophe */
function cell(value) {
	if (typeof value !== "string") return `${value}`;
	const safe = /^\s*[=+\-@＝＋－＠]/.test(value) ? `'${value}` : value;
	return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** @type {ToCsv} */
export function toJson(session, samples) {
	return JSON.stringify({ format: FORMAT, version: VERSION, session: factsOf(session), samples });
}

/** @type {ParseSession} */
export function parseSession(file) {
	try {
		return check(parseJson(file));
	} catch (error) {
		if (!(error instanceof MalformedMessage)) throw error;
		const problem = new ImportProblem(error.field === "JSON" ? "no_json" : "wrong");
		throw Object.assign(problem, { field: error.field || "format" });
	}
}

/** @param {unknown} content @returns {Recorded} */
function check(content) {
	const { version } = read(content, { format: (/** @type {unknown} */ value) => value === FORMAT, version: number });
	if (version > VERSION) throw new ImportProblem("newer");
	/** @type {Recorded} */
	const { session, samples } = read(content, SHAPE);
	const { labels, durationMs } = session;
	insist(labels.length > 1 && new Set(labels).size === labels.length, "session.labels");
	let beforeMs = 0;
	samples.forEach(({ atMs, faces }, at) => {
		insist(atMs >= beforeMs && atMs <= durationMs, `samples[${at}].atMs`);
		beforeMs = atMs;
		faces.forEach(({ label, probabilities }, index) => {
			insist(labels.includes(label), `samples[${at}].faces[${index}].label`);
			insist(probabilities.length === labels.length, `samples[${at}].faces[${index}].probabilities`);
		});
	});
	return { session, samples };
}

/** @param {any} value */
const text = (value) => is.text(value) && value.length <= LONGEST_TEXT;
/** @param {any} value */
const number = (value) => Number.isFinite(value) && value >= 0;
/** @param {any} value */
const share = (value) => number(value) && value <= 1;

const SHAPE = {
	session: {
		name: text,
		note: text,
		startedAt: (/** @type {any} */ value) => number(value) && value <= LAST_DAY_MS,
		durationMs: number,
		labels: [text],
		model: { name: text, version: text },
		source: (/** @type {any} */ value) => ["camera", "video", "import"].includes(value),
		moments: [{ atMs: number, text }],
	},
	samples: [{
		atMs: number,
		faces: [{ id: is.count, label: text, confidence: share, uncertain: is.flag, probabilities: [share] }],
	}],
};
