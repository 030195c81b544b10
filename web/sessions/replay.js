/** One session or two on one scale: played at real pace, with a summary of the face that is chosen in each. */

import { clock, NOTHING } from "../view/format.js";
import { copyOf, element, find, put } from "../view/elements.js";
import { playerIn } from "./clip.js";
import { makeStrip } from "./strip.js";

/** What the keys of the slider do, in milliseconds; others do what they always do. */
const STEPS = new Map(Object.entries({
	ArrowLeft: -1000, ArrowDown: -1000, ArrowRight: 1000, ArrowUp: 1000, PageDown: -10_000, PageUp: 10_000,
}));

/** @type {MakeReplay} */
export function makeReplay(root, words, onChange) {
	const play = find("#play-button", root);
	const chart = find(".strips", root);
	const player = playerIn(find("video", root));
	/** @type {Strip[]} */
	let strips = [];
	let atMs = 0;
	let lengthMs = 0;
	let frame = 0;

	play.onclick = () => (frame ? pause() : start());
	find("#moment-button", root).onclick = mark;
	find(".session-fields", root).onchange = ({ target }) => {
		const { name, value } = /** @type {HTMLInputElement} */ (target);
		change({ [name]: value });
	};
	chart.onkeydown = (event) => {
		const step = STEPS.get(event.key);
		if (!(event.target instanceof HTMLInputElement)) return;
		if (step !== undefined) seek(atMs + step);
		else if (event.key === " ") play.click();
		else if (event.key.toLowerCase() === "m") mark();
		else return;
		event.preventDefault();
	};
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => strips.forEach((strip) => strip.draw()));
	return {
		open,
		close,
		get first() {
			return strips[0]?.recording;
		},
		get track() {
			return strips[0]?.track ?? [];
		},
	};

	/** @type {Replay["open"]} */
	function open(recordings) {
		close();
		lengthMs = Math.max(1, ...recordings.map(({ session }) => session.durationMs));
		strips = recordings.map((recording) => makeStrip(words, recording, lengthMs, seek, summarise));
		chart.replaceChildren(...strips.map((strip) => strip.root));
		for (const name of /** @type {const} */ (["name", "note"])) {
			find(`input[name=${name}]`, root).value = recordings[0]?.session[name] ?? "";
		}
		player.open(recordings[0]?.clips ?? []);
		showMoments();
		summarise();
		seek(0);
	}

	function close() {
		pause();
		strips = [];
		player.open([]);
	}

	function start() {
		if (atMs >= lengthMs) seek(0);
		let beforeMs = performance.now();
		const step = () => {
			const nowMs = performance.now();
			frame = requestAnimationFrame(step);
			seek(atMs + nowMs - beforeMs);
			beforeMs = nowMs;
			if (atMs >= lengthMs) pause();
		};
		root.toggleAttribute("data-playing", true);
		step();
	}

	function pause() {
		cancelAnimationFrame(frame);
		frame = 0;
		root.toggleAttribute("data-playing", false);
		player.show(atMs, false);
	}

	/** @param {number} wantedMs */
	function seek(wantedMs) {
		atMs = Math.max(0, Math.min(lengthMs, wantedMs));
		for (const strip of strips) strip.show(atMs);
		player.show(atMs, frame !== 0);
		put(".replay-time", `${clock(atMs)} / ${clock(lengthMs)}`, root);
	}

	function mark() {
		const moments = [...(strips[0]?.recording.session.moments ?? []), { atMs: Math.round(atMs), text: "" }];
		change({ moments: moments.sort((one, other) => one.atMs - other.atMs) });
	}

	/** @param {Partial<Session>} changes */
	function change(changes) {
		const [first] = strips;
		if (!first) return;
		first.recording.session = { ...first.recording.session, ...changes };
		first.draw();
		if (changes.moments) showMoments();
		onChange(changes);
	}

	function showMoments() {
		const moments = strips[0]?.recording.session.moments ?? [];
		find(".moments", root).replaceChildren(...moments.map((moment) => {
			const item = copyOf("moment");
			const text = find("input", item);
			/** @param {Moment[]} changed nothing, where it is deleted */
			const replace = (...changed) => change({ moments: moments.flatMap((one) => (one === moment ? changed : [one])) });
			text.value = moment.text;
			text.onchange = () => replace({ ...moment, text: text.value });
			put(".moment-time", clock(moment.atMs), item);
			find(".moment-time", item).onclick = () => seek(moment.atMs);
			find(".icon-button", item).onclick = () => replace();
			return item;
		}));
	}

	/** A column for each session. */
	function summarise() {
		const columns = strips.map(({ summary, recording: { session } }) => ({ ...summary, ...session }));
		const labels = new Set(columns.flatMap((column) => column.labels));
		/** @type {MakeRow} */
		const row = (name, valueOf) => element(
			"tr", "", element("th", name), ...columns.map((column) => element("td", valueOf(column))),
		);
		find(".summary table", root).replaceChildren(
			element("tr", "", element("td"), ...columns.map(({ name }) => element("th", name))),
			...[...labels].map((label) => row(words.emotion(label), ({ seenMs, shares, labels: own }) => {
				const share = shares[own.indexOf(label)] ?? 0;
				return words.say("sessions.share", { time: clock(share * seenMs), share: words.percent(share) });
			})),
			row(words.say("sessions.seen"), ({ seenMs }) => clock(seenMs)),
			row(words.say("sessions.changes"), ({ changes }) => words.number(changes)),
			row(words.say("sessions.confidence"), ({ confidence }) => words.percent(confidence)),
			row(words.say("sessions.uncertain"), ({ uncertain }) => words.percent(uncertain)),
			row(words.say("sessions.balance"), ({ balance }) => (balance === null ? NOTHING : words.number(balance, 2))),
		);
	}
}
