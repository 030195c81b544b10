/** Sends what the camera shows, one frame at a time and only with the gateway's credit: the newest frame wins. */

import { watchFrames } from "../camera/encoder.js";

/** @type {FrameSender} */
export function frameSender(video, encoder, connection, sent) {
	let busy = false;
	let round = 0; // a frame of before a stop is not sent after it
	let lastMs = -Infinity;
	let unwatch = () => {};
	/** @type {Sender} */
	const sender = {
		pace: makePace(),

		start(track) {
			encoder.open(track);
			sender.resume();
		},

		stop() {
			sender.pause();
			encoder.close();
		},

		pause() {
			round += 1;
			unwatch();
		},

		resume() {
			sender.pause();
			unwatch = watchFrames(video, (shownMs) => void send(shownMs));
		},
	};
	return sender;

	/** @param {number} shownMs */
	async function send(shownMs) {
		const { widthPx, leastGapMs } = sender.pace.step;
		if (busy || !connection.canSend || shownMs - lastMs < leastGapMs) return;
		const begun = round;
		busy = true;
		try {
			const frame = await encoder.encode(video, widthPx, shownMs);
			if (!frame || begun !== round) return;
			lastMs = shownMs;
			sent.add(frame.jpeg, frame.capturedMs);
			connection.send(frame.jpeg, frame.capturedMs);
		} finally {
			busy = false;
		}
	}
}

const LARGE = { widthPx: 480, leastGapMs: 0 };
const STEPS = [LARGE, { widthPx: 400, leastGapMs: 60 }, { widthPx: 320, leastGapMs: 95 }];
const SLOW_MS = 250;
const FAST_MS = 120;
const SLOW_FOR_MS = 2000;
const FAST_FOR_MS = 4000;
const FAST_FOR_AT_MOST_MS = 64_000;
/** Share of a new round trip in the mean: one late answer says little. */
const NEWEST = 0.25;

/** @returns {Pace} */
export function makePace() {
	let index = 0;
	let meanMs = NaN;
	let sinceMs = 0; // the mean is slow or fast without a break
	let was = "";
	let fastForMs = FAST_FOR_MS;
	let tried = false; // larger frames, after smaller ones
	return {
		get step() {
			return STEPS[index] ?? LARGE;
		},

		answered(roundTripMs, nowMs) {
			meanMs = Number.isNaN(meanMs) ? roundTripMs : meanMs + NEWEST * (roundTripMs - meanMs);
			const is = meanMs > SLOW_MS ? "slow" : meanMs < FAST_MS ? "fast" : "";
			if (is !== was) [was, sinceMs] = [is, nowMs];
			const forMs = nowMs - sinceMs;
			if (is === "slow" && forMs >= SLOW_FOR_MS && index < STEPS.length - 1) {
				if (tried) fastForMs = Math.min(2 * fastForMs, FAST_FOR_AT_MOST_MS); // no see-saw
				tried = false;
				index += 1;
			} else if (is === "fast" && forMs >= fastForMs && index > 0) {
				tried = true;
				index -= 1;
			} else return;
			meanMs = NaN; // of the other size
			was = "";
		},
	};
}
