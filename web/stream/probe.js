/** Looks whether the gateway answers while no stream is open, and which model it serves. */

import { MalformedMessage, parseCard, parseProblem } from "./messages.js";

/** @type {ProbeWith} */
export function probeWith(request, { onCard, onRefused, onUnreachable }, backoff = makeBackoff()) {
	/** @type {Timer} */
	let retry;
	let round = 0; // answers to an earlier round come too late
	return { start, stop };

	function start() {
		stop();
		backoff.reset();
		void ask(round);
	}

	function stop() {
		round += 1;
		clearTimeout(retry);
	}

	/** @param {number} mine */
	async function ask(mine) {
		const answer = await fetchCard();
		if (mine !== round) return;
		if (answer) return "labels" in answer ? onCard(answer) : onRefused(answer);
		onUnreachable();
		retry = setTimeout(() => void ask(mine), backoff.nextMs());
	}

	/** Null when the gateway does not answer, or not yet with a model. */
	async function fetchCard() {
		try {
			const response = await request();
			if (response.ok) return parseCard(await response.json());
			return response.status < 500 ? parseProblem(await response.json()) : null;
		} catch (error) {
			if (!isNoAnswer(error)) throw error;
			return null;
		}
	}
}

/** @param {unknown} error of a request to the gateway; false for one that should not happen */
export function isNoAnswer(error) {
	return error instanceof TypeError // no connection
		|| error instanceof SyntaxError // no JSON: a proxy's error page
		|| error instanceof DOMException // took too long
		|| error instanceof MalformedMessage;
}

const SHORTEST_MS = 500;
const LONGEST_MS = 8000;

/** Growing, jittered, so that the pages of a restarted gateway do not return all at once. @type {MakeBackoff} */
export function makeBackoff(random = Math.random) {
	let attempts = 0;
	return {
		nextMs() {
			attempts += 1;
			const boundMs = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** attempts);
			return SHORTEST_MS + random() * (boundMs - SHORTEST_MS);
		},

		reset() {
			attempts = 0;
		},
	};
}
