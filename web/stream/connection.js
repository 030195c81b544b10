/** A `fer.v1` connection that keeps itself open: hello, credits, silence watchdog, reconnect with backoff. */

import { encodeFrame, helloWith, MalformedMessage, parseMessage, RESET } from "./messages.js";
import { makeBackoff } from "./probe.js";

/** Longest silence while the gateway owes an answer; a network that vanished closes no socket by itself. */
const SILENCE_MS = 10_000;

const CLOSE_BAD_INPUT = 1008;
const CLOSE_MALFORMED = 4000; // ours: the gateway sent what we cannot read
/** @type {Readonly<Record<number, RetryReason>>} */
const RETRY_REASONS = { 1012: "restarting", 1013: "busy", [CLOSE_MALFORMED]: "malformed" };

/** @type {ConnectionTo} */
export function connectionTo(openSocket, listener, backoff = makeBackoff()) {
	/** @type {WebSocket | null} */
	let current = null;
	let ready = false;
	let credits = 0; // frames that may be sent now: given by the gateway, spent here
	let sequence = 0; // of the next frame
	let answered = 0; // frames before this sequence have their answer
	let refusal = { detail: "", code: "" };
	/** @type {RetryReason | null} */
	let again = null;
	/** @type {Timer} */
	let retry;
	/** @type {Timer} */
	let watchdog;

	/** @type {Connection} */
	const connection = {
		start() {
			connection.stop();
			backoff.reset();
			again = null;
			connect();
		},

		stop() {
			clearTimeout(retry);
			abandon();
		},

		get canSend() {
			return ready && credits > 0;
		},

		get load() {
			return { underWay: sequence - answered, credits };
		},

		reset() {
			if (ready) current?.send(RESET);
		},

		send(jpeg, capturedMs) {
			if (!connection.canSend) return;
			credits -= 1;
			current?.send(encodeFrame(sequence, capturedMs, jpeg));
			sequence += 1;
			watch("lost");
		},
	};
	return connection;

	function connect() {
		listener.onState({ phase: "connecting", again });
		refusal = { detail: "", code: "" };
		const socket = current = openSocket();
		// A socket that was given up may still deliver events: only the current one counts.
		socket.onopen = () => socket === current && socket.send(helloWith(openSocket.token));
		socket.onmessage = ({ data }) => socket === current && receive(data);
		socket.onclose = ({ code }) => socket === current && closed(code);
		watch("unreachable");
	}

	/** @param {unknown} data */
	function receive(data) {
		try {
			const message = parseMessage(data);
			if (message) handle(message);
		} catch (error) {
			if (!(error instanceof MalformedMessage)) throw error;
			closed(CLOSE_MALFORMED);
		}
	}

	/** @param {Message} message */
	function handle(message) {
		unwatch();
		if (message.type === "ready") {
			ready = true;
			again = null;
			sequence = answered = 0;
			credits = message.window;
			listener.onState({ phase: "ready" });
			listener.onReady(message);
		} else if (message.type === "model") {
			listener.onModel?.(message);
		} else {
			credits += message.credits;
			if ("seq" in message && message.seq !== null) answered = message.seq + 1;
			if (message.type === "result") {
				backoff.reset(); // only work that was done proves a connection good
				listener.onResult(message);
			} else if (message.type === "error") {
				if (message.seq === null) refusal = message.problem;
				else listener.onFailure?.(message);
			}
		}
		if (ready && (answered < sequence || !connection.canSend)) watch("lost");
	}

	/** @param {number} code */
	function closed(code) {
		if (code === CLOSE_BAD_INPUT) {
			abandon();
			listener.onState({ phase: "refused", detail: refusal.detail, code: refusal.code });
		} else {
			lose(RETRY_REASONS[code] ?? (ready ? "lost" : "unreachable"), code);
		}
	}

	/** Give this socket up and try again later. @type {LoseConnection} */
	function lose(reason, code) {
		abandon(code === CLOSE_MALFORMED ? code : 1000);
		again = reason;
		listener.onState({ phase: "waiting", reason });
		retry = setTimeout(connect, backoff.nextMs());
	}

	/** @param {RetryReason} reason */
	function watch(reason) {
		watchdog ??= setTimeout(() => lose(reason), SILENCE_MS);
	}

	function unwatch() {
		clearTimeout(watchdog);
		watchdog = undefined;
	}

	function abandon(code = 1000) {
		const socket = current;
		unwatch();
		current = null;
		ready = false;
		credits = 0;
		socket?.close(code);
	}
}
