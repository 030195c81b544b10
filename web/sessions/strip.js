/** A session on a time scale: lines and summary of one face, the cursor as a slider, the answer at it. */

import { coloursOf, drawTimeline, indexAt } from "../charts/timeline.js";
import { copyOf, element, find, put, sharpen } from "../view/elements.js";
import { clock, emotionOf } from "../view/format.js";
import { barsIn } from "../view/panel.js";

/** @type {MakeStrip} */
export function makeStrip(words, recording, lengthMs, onSeek, onFace) {
	const root = copyOf("strip");
	const slider = find("input", root);
	const choice = find("select", root);
	const canvas = find("canvas", root);
	const bars = barsIn(find(".bars", root), words);
	const ids = faceIds(recording.samples);
	let track = trackOf(recording.samples, ids[0] ?? NaN);
	let shown = NaN; // step at the cursor

	put(".strip-name", recording.session.name, root);
	choice.append(...ids.map((id) => new Option(words.say("sessions.face_number", { number: `${id + 1}` }), `${id}`)));
	choice.onchange = () => {
		track = trackOf(recording.samples, Number(choice.value));
		draw();
		onFace();
	};
	slider.max = `${lengthMs}`;
	slider.oninput = () => onSeek(Number(slider.value));
	slider.onpointerdown = slider.onpointermove = ({ buttons, clientX }) => { // not every browser jumps to a tap
		const { left, width } = slider.getBoundingClientRect();
		if (buttons > 0) onSeek((lengthMs * (clientX - left)) / width);
	};
	show(0);
	new ResizeObserver(draw).observe(canvas);
	return {
		root,
		recording,
		show,
		draw,
		get track() {
			return track;
		},
		get summary() {
			return summarise(recording.session.labels, track);
		},
	};

	/** @param {number} atMs */
	function show(atMs) {
		const step = indexAt(track, atMs);
		const face = track[step]?.face;
		const emotion = face ? emotionOf(words, face) : words.say("live.no_face");
		slider.value = `${atMs}`;
		slider.ariaValueText = words.say("sessions.at", { time: clock(atMs), emotion });
		if (step === shown) return;
		shown = step;
		put(".strip-answer", emotion, root);
		bars.show(face?.probabilities);
	}

	function draw() {
		const { labels, moments } = recording.session;
		const colours = coloursOf(labels, root);
		const { context, size } = sharpen(canvas);
		drawTimeline(context, size, { labels, colours, samples: track, fromMs: 0, toMs: lengthMs });
		bars.setLabels(labels); // their marks have the theme's colours, too
		shown = NaN;
		show(Number(slider.value));
		find(".strip-moments", root).replaceChildren(...moments.map(({ atMs }) => {
			const mark = element("span");
			mark.style.left = `${(100 * atMs) / lengthMs}%`;
			return mark;
		}));
	}
}

/** After a longer silence nobody knows what the face did: the camera or the gateway was away. */
const LONGEST_STEP_MS = 2000;

/** What each label adds to the balance; labels of a user's own model may have no such side. */
const SIDES = new Map(Object.entries({
	neutral: 0, happiness: 1, surprise: 0.5, sadness: -1, anger: -1, disgust: -1, fear: -1, contempt: -1,
}));

/** @type {TrackOf} */
export function trackOf(samples, id) {
	return samples.flatMap(({ atMs, faces }, index) => {
		const face = faces.find((candidate) => candidate.id === id) ?? null;
		const restMs = (samples[index + 1]?.atMs ?? atMs) - atMs;
		const step = { atMs, forMs: restMs, face, probabilities: face?.probabilities ?? null };
		if (restMs <= LONGEST_STEP_MS) return [step];
		return [{ ...step, forMs: 0 }, { atMs: atMs + 1, forMs: 0, face: null, probabilities: null }];
	});
}

/** @type {FaceIds} */
export function faceIds(samples) {
	/** @type {Map<number, number>} */
	const counts = new Map();
	for (const { id } of samples.flatMap(({ faces }) => faces)) counts.set(id, (counts.get(id) ?? 0) + 1);
	return [...counts].sort(([, first], [, second]) => second - first).map(([id]) => id);
}

/** @type {Summarise} */
export function summarise(labels, track) {
	const seen = track.flatMap(({ forMs, face }) => (face ? [{ forMs, face }] : []));
	const seenMs = seen.reduce((sum, { forMs }) => sum + forMs, 0);
	/** @param {(face: SampleFace) => number} valueOf */
	const mean = (valueOf) => seen.reduce((sum, { forMs, face }) => sum + forMs * valueOf(face), 0) / (seenMs || 1);
	const balance = mean(({ probabilities }) => (
		labels.reduce((sum, label, index) => sum + (probabilities[index] ?? 0) * (SIDES.get(label) ?? NaN), 0)
	));
	return {
		seenMs,
		shares: labels.map((label) => mean((face) => Number(face.label === label))),
		changes: seen.filter(({ face }, index) => index > 0 && face.label !== seen[index - 1]?.face.label).length,
		balance: Number.isNaN(balance) ? null : balance,
		confidence: mean(({ confidence }) => confidence),
		uncertain: mean(({ uncertain }) => Number(uncertain)),
	};
}
