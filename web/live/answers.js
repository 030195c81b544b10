/** What the gateway answers: which face is which, shown, said aloud, told to observers, kept for a while. */

import { meterFrom } from "../status/history.js";
import { overlap } from "../view/overlay.js";

/** More are never on their way: the gateway gives fewer credits. */
const MOST_UNDER_WAY = 8;

/** @type {KeepAnswers} */
export function keepAnswers(view, observers) {
	const isWorthSaying = makeAnnouncer();
	const faces = liveFaces();
	const sent = sentFrames();
	let meter = meterFrom(0);
	let dropped = 0;
	return {
		sent,

		get last() {
			return sent.analysed && { ...sent.analysed, ...faces.shown(sent.analysed.result.faces) };
		},

		restart(nowMs) {
			meter = meterFrom(nowMs);
			dropped = 0;
		},

		take(answer, card, nowMs) {
			const result = faces.take(answer, nowMs);
			sent.answered(result);
			meter.add(nowMs, nowMs - result.captured_ms);
			dropped = result.dropped;
			const shown = faces.shown(result.faces);
			view.showResult(result, shown);
			if (card) for (const observer of observers) observer.onResult?.(result, card, nowMs);
			if (isWorthSaying(shown.face?.label ?? "", nowMs)) view.announce(shown.face);
		},

		choose(id) {
			faces.choose(id);
			if (this.last) view.showResult(this.last.result, this.last);
		},

		read(load, nowMs) {
			const reading = { ...meter.read(nowMs), dropped, ...load };
			view.showReading(reading);
			for (const observer of observers) observer.onReading?.(reading);
		},

		forget() {
			sent.clear();
			faces.clear();
			view.clear();
		},
	};
}

/** @returns {SentFrames} */
export function sentFrames() {
	/** @type {{ jpeg: ArrayBuffer, capturedMs: number }[]} oldest first */
	let waiting = [];
	return {
		analysed: null,

		add(jpeg, capturedMs) {
			waiting = [...waiting, { jpeg, capturedMs }].slice(-MOST_UNDER_WAY);
		},

		answered(result) {
			const index = waiting.findIndex((frame) => frame.capturedMs === result.captured_ms);
			const [frame] = waiting.splice(0, index + 1).slice(-1); // those before it get no result
			this.analysed = frame ? { jpeg: new Blob([frame.jpeg], { type: "image/jpeg" }), result } : null;
		},

		clear() {
			waiting = [];
			this.analysed = null;
		},
	};
}

const SETTLED_MS = 1000;
const PAUSE_MS = 3000;

/** @type {MakeAnnouncer} */
export function makeAnnouncer() {
	let [said, saidMs, candidate, sinceMs] = ["", -Infinity, "", 0];
	return (label, nowMs) => {
		if (label !== candidate) [candidate, sinceMs] = [label, nowMs];
		if (label === said || nowMs - sinceMs < SETTLED_MS || nowMs - saidMs < PAUSE_MS) return false;
		[said, saidMs] = [label, nowMs];
		return true;
	};
}

/** Least overlap of one face's boxes before and after a change of size. */
const SAME = 0.3;
const RECENT_MS = 1500;

/** @type {MakeFaces} */
export function liveFaces() {
	const history = faceHistory();
	/** @type {Map<number, number>} our id by the gateway's, which counts anew when the size of frames changes */
	const ids = new Map();
	/** @type {Result | null} */
	let last = null;
	/** @type {Face[]} of before the change, not found again yet */
	let missing = [];
	let missingUntilMs = 0;
	let chosen = NaN;
	return {
		take(answer, nowMs) {
			if (last && isResized(last, answer)) {
				missing = last.faces;
				missingUntilMs = last.captured_ms + RECENT_MS;
			}
			if (answer.captured_ms < missingUntilMs) answer.faces.forEach(match);
			const faces = answer.faces.map((face) => ({ ...face, id: ids.get(face.id) ?? face.id }));
			history.add(faces, nowMs);
			return last = { ...answer, faces };
		},

		choose(id) {
			chosen = chosen === id ? NaN : id;
		},

		shown(faces) {
			const found = faces.find((face) => face.id === chosen);
			const face = found ?? faces[0];
			return { face, isChosen: found !== undefined, points: face ? history.of(face.id) : [] };
		},

		clear() {
			ids.clear();
			history.clear();
			last = null;
			missingUntilMs = 0;
			chosen = NaN;
		},
	};

	/** @param {Face} face as the gateway counts it */
	function match({ id, box }) {
		if (ids.has(id)) return;
		const [nearest] = [...missing].sort((one, other) => overlap(other.box, box) - overlap(one.box, box));
		if (!nearest || overlap(nearest.box, box) < SAME) return;
		ids.set(id, nearest.id);
		missing = missing.filter((face) => face !== nearest);
	}
}

/** @type {(before: Size, after: Size) => boolean} */
function isResized(before, after) {
	return before.width !== after.width
		&& Math.abs(before.width / before.height - after.width / after.height) < 0.02; // the phone was not turned
}

export const SPAN_MS = 60_000;
/** Old points leave in batches, since each removal moves all others. */
const BATCH_MS = 5000;

/** @type {MakeHistory} */
export function faceHistory() {
	/** @type {Map<number, Point[]>} by the face's id; oldest first */
	const known = new Map();
	return {
		add(faces, atMs) {
			for (const [id, points] of known) {
				const { atMs: lastMs, probabilities } = /** @type {Point} */ (points.at(-1));
				if (lastMs < atMs - SPAN_MS) known.delete(id);
				else if (probabilities && !faces.some((face) => face.id === id)) points.push({ atMs, probabilities: null });
			}
			for (const { id, probabilities } of faces) {
				const points = known.get(id) ?? [];
				known.set(id, points);
				points.push({ atMs, probabilities });
				if ((points[0]?.atMs ?? atMs) < atMs - SPAN_MS - BATCH_MS) {
					points.splice(0, points.findIndex((point) => point.atMs >= atMs - SPAN_MS));
				}
			}
		},

		of: (id) => known.get(id) ?? [],

		clear: () => known.clear(),
	};
}
