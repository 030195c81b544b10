/** Recording: its buttons, and what the stream answers, kept each second so that a crash costs no more. */

import { find, put } from "../view/elements.js";
import { clock, date } from "../view/format.js";
import { filmInto } from "./clip.js";
import { advice } from "./export.js";
import { newSession, sampleOf, StoreProblem } from "./store.js";

const TICK_MS = 250;

/** @type {RecordControl} */
export function recordControl(words, store, keepCamera) {
	const button = find("#record-button");
	const mark = find("#mark-button");
	const recorder = recorderInto(store, (kind) => ended(words.say(`storage.${kind}`)));
	const clip = filmInto(store, recorder, (error) => attempt(() => {
		throw error;
	}));
	let filming = false;
	/** @type {Session | null} to go on with as soon as results come */
	let continued = null;
	/** @type {Card | null} of a gateway that answers to a running camera */
	let card = null;
	let work = Promise.resolve();

	button.onclick = () => (recorder.session ? stop() : start());
	mark.onclick = () => attempt(async () => {
		const time = clock(recorder.elapsedMs);
		await recorder.mark();
		say(words.say("record.marked", { time }));
	});
	document.addEventListener("keydown", (event) => {
		const { key, target, ctrlKey, metaKey, altKey } = event;
		const types = target instanceof Element && target.matches("input, textarea, select");
		if (!recorder.session || types || !altKey || ctrlKey || metaKey) return; // speech input types mere letters
		if (!"mµ".includes(key.toLowerCase())) return; // Macs make µ of Alt+M
		event.preventDefault(); // no menu
		mark.click();
	});
	addEventListener("pagehide", () => void recorder.keep());
	setInterval(showTime, TICK_MS);
	attempt(async () => {
		const session = (await store.list()).find(await findInterrupted());
		if (session) tell("interrupted", session);
	});

	return {
		onResult: recorder.onResult,

		onState({ camera: { phase }, gateway, card: known }) {
			filming = phase === "on";
			card = filming && gateway.phase === "ready" ? known : null;
			if (phase === "off" && recorder.session) stop();
			if (continued) start();
			show();
		},

		continue(session) {
			continued = session;
			say(words.say("record.continue_advice", { name: session.name }));
			location.hash = "#live";
			start();
		},
	};

	function start() {
		attempt(async () => {
			if (recorder.session || !card) return;
			const session = continued;
			continued = null;
			if (!session) await recorder.begin(card, words.say("record.name", { date: date(words, Date.now()) }));
			else if (`${card.labels}` !== `${session.labels}`) throw new StoreProblem("model");
			else await recorder.resume(session, words.say("record.continued"));
			void navigator.storage?.persist?.();
			say();
			keepCamera(true);
		});
	}

	function stop() {
		attempt(async () => {
			const session = await recorder.stop();
			if (!session) return;
			ended();
			tell(clip.isWanted ? "done_clip" : "done", session);
		});
	}

	function ended(text = "") {
		keepCamera(false);
		say(text);
		show();
	}

	/** One after the other. @param {() => Promise<unknown>} next */
	function attempt(next) {
		work = work.then(next).catch((error) => say(advice(words, error))).then(show);
	}

	function show() {
		document.body.toggleAttribute("data-recording", recorder.session !== null);
		button.hidden = !recorder.session && !card;
		clip.show(filming, !button.hidden);
		showTime();
	}

	function showTime() {
		put(".recording-time", recorder.session ? clock(recorder.elapsedMs) : "");
	}

	/** @param {"done" | "done_clip" | "interrupted"} what @param {Session} session */
	function tell(what, session) {
		say(words.say(`record.${what}`, { name: session.name, time: clock(session.durationMs) }), session);
	}

	/** @param {Session} [session] to look at */
	function say(text = "", session) {
		const link = find("a.recording-link");
		put(".recording-words", text);
		link.hidden = !session;
		link.href = `#sessions/${session?.id}`;
	}
}

const KEEP_EVERY_MS = 1000;
/** Long enough that what follows an interruption is not joined with what was before. */
const INTERRUPTION_MS = 2500;
const LOCK = "fer-recording-";

/** @type {RecorderInto} */
export function recorderInto(store, onFail) {
	/** @type {Sample[]} */
	let waiting = [];
	let saving = Promise.resolve();
	let startMs = 0;
	let lastMs = 0;
	let sequence = 0; // of the last result; a new connection counts from 0 again, and so do its faces
	let firstId = 0; // of the faces of this connection
	let nextId = 0;
	let unlock = () => {};

	/** @type {Recorder} */
	const recorder = {
		session: null,

		get elapsedMs() {
			return Math.round(performance.now() - startMs);
		},

		async begin(card, name) {
			run(await store.create(newSession(name, "camera", card), true), 0, -1);
		},

		async resume({ id, durationMs, moments }, text) {
			const atMs = durationMs + INTERRUPTION_MS;
			run(await store.update(id, { open: true, moments: [...moments, { atMs, text }] }), atMs, Infinity);
		},

		onResult({ captured_ms, seq, faces }, { labels }) {
			if (!recorder.session) return;
			if (`${labels}` !== `${recorder.session.labels}`) return void recorder.stop().then(() => onFail("model"));
			const atMs = Math.round(captured_ms - startMs);
			if (atMs <= lastMs) return; // filmed before the start
			lastMs = atMs;
			if (seq <= sequence) firstId = nextId;
			sequence = seq;
			const sample = sampleOf(atMs, faces, firstId);
			nextId = Math.max(nextId, ...sample.faces.map(({ id }) => id + 1));
			waiting.push(sample);
		},

		async mark() {
			if (!recorder.session) return;
			const moments = [...recorder.session.moments, { atMs: recorder.elapsedMs, text: "" }];
			recorder.session = { ...recorder.session, moments };
			await store.update(recorder.session.id, { moments });
		},

		keep() {
			const { session } = recorder;
			const samples = waiting;
			waiting = [];
			if (session && samples.length > 0) {
				saving = saving.then(() => store.append(session.id, samples)).catch((error) => {
					if (!(error instanceof StoreProblem)) throw error;
					if (end()) onFail(error.kind);
				});
			}
			return saving;
		},

		async stop() {
			const durationMs = recorder.elapsedMs;
			await recorder.keep();
			const session = end();
			return session && store.update(session.id, { open: false, durationMs });
		},
	};
	setInterval(() => void recorder.keep(), KEEP_EVERY_MS);
	return recorder;

	/** @type {RunRecording} */
	function run(session, atMs, last) {
		recorder.session = session;
		waiting = [];
		startMs = performance.now() - atMs;
		lastMs = atMs - 1;
		sequence = last;
		firstId = 0;
		nextId = session.tally.nextId;
		const ended = new Promise((resolve) => (unlock = () => resolve(null)));
		void navigator.locks?.request(LOCK + session.id, () => ended);
	}

	function end() {
		const { session } = recorder;
		recorder.session = null;
		unlock();
		return session;
	}
}

/** @type {FindInterrupted} */
export async function findInterrupted() {
	const held = new Set((await navigator.locks?.query())?.held?.map(({ name }) => name));
	return ({ id, open, trashed }) => open && !trashed && !held.has(LOCK + id);
}
