/** A `fer.v1` connection that keeps itself open: hello, credits, silence watchdog, reconnect with backoff. */

import { Backoff } from "./backoff.js";
import { Credits } from "./credits.js";
import { encodeFrame, HELLO } from "./frame.js";
import { MalformedMessage, parseMessage } from "./messages.js";

/** @typedef {"busy" | "restarting" | "unreachable" | "lost" | "malformed"} RetryReason */
/**
 * @typedef {{ phase: "closed" }
 *   | { phase: "connecting" }
 *   | { phase: "ready" }
 *   | { phase: "waiting", reason: RetryReason }
 *   | { phase: "refused", detail: string }} ConnectionState
 *   `waiting` tries again by itself, `refused` does not
 */
/**
 * @typedef {{
 *   onState: (state: ConnectionState) => void,
 *   onReady: (ready: import("./messages.js").Ready) => void,
 *   onResult: (result: import("./messages.js").Result) => void,
 * }} ConnectionListener
 */

/** Longest silence while the gateway owes an answer; a network that vanished closes no socket by itself. */
const SILENCE_MS = 10_000;

const CLOSE_BAD_INPUT = 1008;
const CLOSE_MALFORMED = 4000; // ours: the gateway sent what we cannot read
/** @type {Readonly<Record<number, RetryReason>>} */
const RETRY_REASONS = { 1012: "restarting", 1013: "busy", [CLOSE_MALFORMED]: "malformed" };

export class Connection {
  #openSocket;
  #listener;
  #backoff;
  #credits = new Credits();
  /** @type {WebSocket | null} */
  #socket = null;
  #ready = false;
  #sequence = 0; // of the next frame
  #answered = 0; // frames before this sequence have their answer
  #refusal = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #watchdog;

  /**
   * @param {() => WebSocket} openSocket
   * @param {ConnectionListener} listener
   * @param {Backoff} backoff
   */
  constructor(openSocket, listener, backoff = new Backoff()) {
    this.#openSocket = openSocket;
    this.#listener = listener;
    this.#backoff = backoff;
  }

  /** Connect, and stay connected until `stop`. */
  start() {
    this.stop();
    this.#backoff.reset();
    this.#connect();
  }

  /** Disconnect. Nothing is reported any more. */
  stop() {
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#abandon();
    socket?.close(1000);
  }

  /** Whether a frame captured now may be sent. */
  get canSend() {
    return this.#ready && this.#credits.available > 0;
  }

  /**
   * Send a frame; without a credit it is let go, because a newer one will follow.
   *
   * @param {ArrayBuffer} jpeg
   * @param {number} capturedMs
   */
  send(jpeg, capturedMs) {
    if (!this.#socket || !this.#ready || !this.#credits.spend()) return;
    this.#socket.send(encodeFrame(this.#sequence, capturedMs, jpeg));
    this.#sequence += 1;
    this.#watch("lost");
  }

  #connect() {
    this.#listener.onState({ phase: "connecting" });
    this.#refusal = "";
    const socket = this.#openSocket();
    this.#socket = socket;
    // A socket that was given up may still deliver events: only the current one counts.
    socket.onopen = () => socket === this.#socket && socket.send(HELLO);
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(data);
    socket.onclose = ({ code }) => socket === this.#socket && this.#closed(code);
    this.#watch("unreachable");
  }

  /** @param {unknown} data */
  #receive(data) {
    try {
      const message = parseMessage(data);
      if (message) this.#handle(message);
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.#lose(this.#reasonOf(CLOSE_MALFORMED), CLOSE_MALFORMED);
    }
  }

  /** @param {import("./messages.js").Message} message */
  #handle(message) {
    this.#unwatch();
    switch (message.type) {
      case "ready":
        this.#ready = true;
        this.#sequence = this.#answered = 0;
        this.#credits.restart(message.window);
        this.#listener.onState({ phase: "ready" });
        this.#listener.onReady(message);
        break;
      case "result":
        this.#backoff.reset(); // only work that was done proves a connection good
        this.#answered = message.seq + 1;
        this.#credits.add(message.credits);
        this.#listener.onResult(message);
        break;
      case "grant":
        this.#credits.add(message.credits);
        break;
      case "error":
        this.#credits.add(message.credits);
        if (message.seq === null) this.#refusal = message.problem.detail;
        else this.#answered = message.seq + 1;
    }
    if (this.#ready && (this.#answered < this.#sequence || !this.canSend)) this.#watch("lost");
  }

  /** @param {number} code */
  #closed(code) {
    if (code === CLOSE_BAD_INPUT) {
      this.#abandon();
      this.#listener.onState({ phase: "refused", detail: this.#refusal });
    } else {
      this.#lose(this.#reasonOf(code));
    }
  }

  /**
   * @param {number} code
   * @returns {RetryReason}
   */
  #reasonOf(code) {
    return RETRY_REASONS[code] ?? (this.#ready ? "lost" : "unreachable");
  }

  /**
   * Give this socket up and try again later.
   *
   * @param {RetryReason} reason
   * @param {number} code
   */
  #lose(reason, code = 1000) {
    const socket = this.#socket;
    this.#abandon();
    socket?.close(code);
    this.#listener.onState({ phase: "waiting", reason });
    this.#retry = setTimeout(() => this.#connect(), this.#backoff.nextMs());
  }

  /** @param {RetryReason} reason */
  #watch(reason) {
    this.#watchdog ??= setTimeout(() => this.#lose(reason), SILENCE_MS);
  }

  #unwatch() {
    clearTimeout(this.#watchdog);
    this.#watchdog = undefined;
  }

  #abandon() {
    this.#unwatch();
    this.#socket = null;
    this.#ready = false;
    this.#credits.restart(0);
  }
}
