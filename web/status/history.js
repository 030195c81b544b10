/** What the connection did lately: results and latencies, how long it is as it is, reconnects. */

const SPAN_S = 60;

/** @type {MakeStreamHistory} */
export function streamHistory() {
	/** @type {Latency[]} oldest first */
	const samples = [];
	let last = "";
	let lost = false;
	return {
		reconnects: 0,
		sinceMs: 0,

		add(atMs, latencyMs) {
			samples.push({ atMs, latencyMs });
			while ((samples[0]?.atMs ?? atMs) <= atMs - 1000 * SPAN_S) samples.shift();
		},

		enter(phase, nowMs) {
			if (phase === last) return;
			if (phase === "ready" && lost) this.reconnects += 1;
			lost = phase === "waiting" ? lost || last === "ready" : lost && phase !== "ready";
			last = phase;
			this.sinceMs = nowMs;
		},

		latency(nowMs) {
			/** @type {number[][]} */
			const seconds = Array.from({ length: SPAN_S }, () => []);
			for (const { atMs, latencyMs } of samples) {
				seconds[SPAN_S - 1 - Math.floor((nowMs - atMs) / 1000)]?.push(latencyMs);
			}
			const recent = seconds.flat();
			return {
				medianMs: quantile(recent, 0.5),
				percentile95Ms: quantile(recent, 0.95),
				seconds: seconds.map((latencies) => quantile(latencies, 0.5)),
			};
		},
	};
}

/** A path in SVG. @type {Sparkline} */
export function sparkline(values, width, height) {
	const highest = Math.max(1, ...values.map(Number));
	return values.map((value, index) => {
		if (value === null) return "";
		const x = (index * width) / (values.length - 1);
		const point = `${x.toFixed(1)} ${(height - 1 - (value / highest) * (height - 2)).toFixed(1)}`;
		return (values[index - 1] ?? null) === null ? `M${point}h0` : `L${point}`;
	}).join("");
}

const WINDOW_MS = 2000;

/** @type {MeterFrom} */
export function meterFrom(startMs) {
	/** @type {Latency[]} oldest first */
	let samples = [];
	const recent = (/** @type {number} */ nowMs) => samples.filter(({ atMs }) => nowMs - atMs < WINDOW_MS);
	return {
		add(atMs, latencyMs) {
			samples = [...recent(atMs), { atMs, latencyMs }];
		},

		read(nowMs) {
			const latencies = recent(nowMs).map(({ latencyMs }) => latencyMs);
			const spanMs = Math.max(1, Math.min(WINDOW_MS, nowMs - startMs));
			return { framesPerSecond: (1000 * latencies.length) / spanMs, latencyMs: quantile(latencies, 0.5) };
		},
	};
}

/** By rank; null for none. @type {Quantile} */
export function quantile(values, share) {
	return [...values].sort((one, other) => one - other)[Math.ceil(values.length * share) - 1] ?? null;
}
