/** The result in figures: the face that is shown, its bars, its last minute, how fast all is. */

import { coloursOf, drawTimeline, markOf } from "../charts/timeline.js";
import { SPAN_MS } from "../live/answers.js";
import { copyOf, find, put, sharpen } from "./elements.js";
import { emotionOf, milliseconds, NOTHING, numberOf, paint, perSecond, reasonsOf } from "./format.js";

/** @type {PanelOf} */
export function panelOf(words) {
	const root = find(".panel");
	const bars = barsIn(find(".bars", root), words);
	const trace = traceOn(find(".trace canvas", root));
	return {
		run: trace.run,

		setLabels(labels) {
			bars.setLabels(labels);
			trace.setLabels(labels);
		},

		show(shown) {
			const face = shown?.face;
			trace.show(shown?.points ?? []);
			bars.show(face?.probabilities);
			find("button#why-button", root).disabled = !face;
			find(".main-face .glyph", root).dataset["emotion"] = face?.label ?? "";
			if (face) paint(find(".face-number", root), face.id);
			put(".face-number", face ? numberOf(face.id) : "", root);
			put(".main-name", words.say(shown?.isChosen ? "live.chosen_face" : "live.main_face"), root);
			put(".main-label", face ? emotionOf(words, face) : shown ? words.say("live.no_face") : NOTHING, root);
			put(".main-confidence", face ? reasonsOf(words, face) : "", root);
		},

		showReading(reading) {
			put("[data-testid=frames-per-second]", reading ? perSecond(words, reading.framesPerSecond) : NOTHING, root);
			put("[data-testid=latency]", milliseconds(reading?.latencyMs ?? null), root);
			put("[data-testid=dropped]", reading ? `${reading.dropped}` : NOTHING, root);
		},
	};
}

/** For people who asked for less motion. */
const CALM_MS = 1000;

/** @type {TraceOn} */
export function traceOn(canvas) {
	const calm = matchMedia("(prefers-reduced-motion: reduce)");
	let { context, size } = sharpen(canvas);
	/** @type {Pick<Timeline, "labels" | "colours" | "samples">} */
	let content = { labels: [], colours: [], samples: [] };
	let toMs = 0;
	let frame = 0;
	new ResizeObserver(() => {
		({ context, size } = sharpen(canvas));
		draw();
	}).observe(canvas);
	return {
		setLabels(labels) {
			content = { ...content, labels, colours: coloursOf(labels, canvas) };
			draw();
		},

		show(samples) {
			content = { ...content, samples };
			if (samples.length === 0) draw();
		},

		run(runs) {
			cancelAnimationFrame(frame);
			if (runs) frame = requestAnimationFrame(tick);
		},
	};

	/** @param {number} nowMs */
	function tick(nowMs) {
		frame = requestAnimationFrame(tick);
		if (calm.matches && nowMs - toMs < CALM_MS) return;
		toMs = nowMs;
		draw();
	}

	function draw() {
		if (size.width > 0) drawTimeline(context, size, { ...content, fromMs: toMs - SPAN_MS, toMs }); // else nobody sees it
	}
}

/** @type {BarsIn} */
export function barsIn(root, words) {
	/** @type {HTMLElement[]} */
	let rows = [];
	return {
		setLabels(labels) {
			const colours = coloursOf(labels, root);
			rows = labels.map((label, index) => {
				const row = copyOf("bar");
				const name = words.emotion(label);
				put(".bar-mark", markOf(index), row); // what its line looks like in the timeline
				find(".bar-mark", row).style.color = colours[index] ?? "";
				find(".glyph", row).dataset["emotion"] = label;
				put(".bar-name", name, row);
				find(".bar-meter", row).ariaLabel = name;
				return row;
			});
			root.replaceChildren(...rows);
		},

		show(probabilities) {
			const highest = Math.max(...probabilities ?? []);
			rows.forEach((row, index) => {
				const share = probabilities?.[index] ?? 0;
				const meter = find(".bar-meter", row);
				row.classList.toggle("leading", share === highest);
				meter.style.setProperty("--share", `${share}`);
				meter.ariaValueNow = `${Math.round(100 * share)}`;
				put(".bar-value", probabilities ? words.percent(share) : NOTHING, row);
			});
		},
	};
}
