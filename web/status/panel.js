/** The connection on the screen: figures, the model's card, and what works without the gateway. */

import { parseCard } from "../stream/messages.js";
import { isNoAnswer } from "../stream/probe.js";
import { element, find } from "../view/elements.js";
import { clock, gatewayLine, milliseconds, NOTHING, perSecond } from "../view/format.js";
import { sparkline, streamHistory } from "./history.js";

const DRAWN_EVERY_MS = 1000;

/** @type {StatusPanel} */
export function statusPanel(words, request) {
	const dialog = find("dialog#status");
	const history = streamHistory();
	/** @type {Reading | null} */
	let reading = null;
	/** @type {LiveState | null} */
	let shown = null;
	let startedMs = NaN; // the gateway, on this page's clock

	find(".gateway").onclick = () => {
		dialog.showModal();
		draw();
		void ask();
	};
	setInterval(draw, DRAWN_EVERY_MS);
	write({ address: location.host });
	return {
		onResult: (result, _, nowMs) => history.add(nowMs, nowMs - result.captured_ms),
		onReading: (read) => (reading = read),

		onState(state) {
			const { gateway } = state;
			const isNew = gateway.phase !== shown?.gateway.phase;
			shown = state;
			if (!isNew) return;
			history.enter(gateway.phase, performance.now());
			if (gateway.phase !== "ready") reading = null;
			if (gateway.phase === "found" || gateway.phase === "ready") void ask();
			if (gateway.phase !== "connecting" && gateway.phase !== "unknown") { // they tell nothing new
				const isAway = gateway.phase === "waiting" ? gateway.reason !== "busy" : gateway.phase === "unreachable";
				find(".away").hidden = !isAway;
			}
			draw();
		},
	};

	function draw() {
		if (!dialog.open || !shown) return;
		const nowMs = performance.now();
		const { medianMs, percentile95Ms, seconds } = history.latency(nowMs);
		const state = words.say(gatewayLine(shown).key);
		const most = reading ? reading.underWay + reading.credits : 0;
		write({
			state: words.say("status.state", { state, duration: clock(nowMs - history.sinceMs) }),
			median: milliseconds(medianMs),
			"percentile-95": milliseconds(percentile95Ms),
			rate: reading ? perSecond(words, reading.framesPerSecond) : NOTHING,
			lost: reading ? words.number(reading.dropped) : NOTHING,
			queue: reading ? words.say("status.queue_words", { count: reading.underWay, most }) : NOTHING,
			reconnects: words.number(history.reconnects),
			uptime: startedMs ? clock(nowMs - startedMs) : NOTHING,
		});
		find("path", dialog).setAttribute("d", sparkline(seconds, 240, 40));
	}

	/** Ask the gateway for what no stream tells. */
	async function ask() {
		try {
			const paths = ["/api/v1/health", "/api/v1/model"];
			const [health, card] = await Promise.all(paths.map(async (path) => (await request(path)).json()));
			for (const [name, rows] of Object.entries(describeCard(words, card))) {
				find(`.card-${name} tbody`, dialog).replaceChildren(...rows.map((cells) => (
					element("tr", "", ...cells.map((text, index) => element(index > 0 ? "td" : "th", text)))
				)));
			}
			startedMs = performance.now() - 1000 * health.uptime_s;
			write({ version: health.version });
		} catch (error) {
			if (!isNoAnswer(error)) throw error;
			startedMs = NaN;
		}
		draw();
	}

	/** @param {Record<string, string>} values wherever the page shows them */
	function write(values) {
		for (const [name, value] of Object.entries(values)) {
			for (const place of document.querySelectorAll(`[data-value="${name}"]`)) place.textContent = value;
		}
	}
}

/** As many of the classes that it finds least are named. */
const WEAKEST = 3;

/** @type {DescribeCard} */
export function describeCard(words, card) {
	const { name, version, labels } = parseCard(card);
	const { parameters, face, doubt, evaluations, provenance } = /** @type {CardDetails} */ (card);
	const join = (/** @type {string[]} */ items) => new Intl.ListFormat(words.language).format(items);
	const { percent } = words;
	const recall = Object.entries(evaluations[0]?.recall ?? {}).sort(([, one], [, other]) => one - other);
	const facts = {
		model: `${name} ${version}`,
		labels: join(labels.map((label) => words.emotion(label))),
		size: words.say("status.size_words", { millions: parameters / 1e6, side: face.size_px }),
		doubt: doubt ? words.say("status.doubt_words", {
			below: percent(doubt.uncertain_below), kept: percent(doubt.coverage), wrong: percent(doubt.error),
		}) : "",
		weakest: join(recall.slice(0, WEAKEST).map(([label, share]) => `${words.emotion(label)} (${percent(share)})`)),
		data: join(provenance.data),
		created: provenance.created,
		terms: provenance.licence,
		notes: provenance.notes,
	};
	const scores = evaluations.map(({ data, faces, accuracy: { value, low, high }, macro_f1 }) => [
		data,
		words.number(faces),
		words.say("status.accuracy_words", { value: percent(value), low: percent(low), high: percent(high) }),
		words.number(macro_f1.value, 2),
	]);
	const named = Object.entries(facts).filter(([, said]) => said);
	return { facts: named.map(([key, said]) => [words.say(`status.card.${key}`), said]), scores };
}
