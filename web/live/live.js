/** Camera and gateway together: starts, streams, pauses while hidden, stops. */

import { Camera } from "../camera/camera.js";
import { FrameEncoder, watchFrames } from "../camera/capture.js";
import { CameraProblem } from "../camera/problems.js";
import { Connection } from "../stream/connection.js";
import { Probe } from "../stream/probe.js";
import { percent } from "../view/format.js";
import { Announcer } from "./announcer.js";
import { Meter } from "./meter.js";

/** @typedef {import("../stream/messages.js").Card} Card */
/** @typedef {import("../stream/messages.js").Result} Result */
/** @typedef {import("../stream/connection.js").ConnectionState} ConnectionState */
/**
 * @typedef {{ phase: "off" | "starting" | "on" | "paused" }
 *   | { phase: "failed", kind: import("../camera/problems.js").CameraProblemKind }} CameraState
 */
/** @typedef {ConnectionState | { phase: "unknown" | "found" | "unreachable" }} GatewayState */
/** @typedef {Readonly<{ camera: CameraState, gateway: GatewayState, card: Card | null }>} LiveState */

const READING_EVERY_MS = 500;

export class Live {
  #view;
  #camera;
  #connection;
  #probe;
  #encoder = new FrameEncoder();
  #announcer = new Announcer();
  #meter = new Meter(0);
  #dropped = 0;
  #encoding = false;
  #stopFrames = () => {};
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #readings;
  /** @type {LiveState} */
  #state = { camera: { phase: "off" }, gateway: { phase: "unknown" }, card: null };

  /**
   * @param {import("../view/view.js").View} view
   * @param {{
   *   devices: MediaDevices | undefined,
   *   openSocket: () => WebSocket,
   *   requestCard: () => Promise<Response>,
   * }} outside
   */
  constructor(view, { devices, openSocket, requestCard }) {
    this.#view = view;
    this.#camera = new Camera(view.video, devices, () => this.#fail("lost"));
    this.#connection = new Connection(openSocket, {
      onState: (gateway) => this.#onConnection(gateway),
      onReady: ({ card }) => this.#onReady(card),
      onResult: (result) => this.#onResult(result),
    });
    this.#probe = new Probe(requestCard, {
      onCard: (card) => this.#update({ card, gateway: { phase: "found" } }),
      onUnreachable: () => this.#update({ gateway: { phase: "unreachable" } }),
    });
    if (!devices) this.#state = { ...this.#state, camera: { phase: "failed", kind: "insecure" } };
  }

  /** Look for the gateway, so that a person knows before starting the camera. */
  idle() {
    this.#update({ gateway: { phase: "unknown" } });
    this.#probe.start();
  }

  toggle() {
    const { phase } = this.#state.camera;
    if (phase === "on" || phase === "starting") this.#stop({ phase: "off" });
    else void this.#start();
  }

  /** The page went out of sight: nobody looks, so nothing films. */
  hide() {
    const { phase } = this.#state.camera;
    if (phase === "on" || phase === "starting") this.#stop({ phase: "paused" });
    this.#probe.stop();
  }

  /** The page is back in sight. */
  show() {
    if (this.#state.camera.phase === "paused") void this.#start();
    else this.idle();
  }

  async #start() {
    this.#update({ camera: { phase: "starting" } });
    try {
      if (!(await this.#camera.open())) return;
    } catch (error) {
      if (!(error instanceof CameraProblem)) throw error;
      this.#fail(error.kind);
      return;
    }
    this.#probe.stop();
    this.#update({ camera: { phase: "on" } });
    this.#connection.start();
    this.#stopFrames = watchFrames(this.#view.video, (capturedMs) => void this.#capture(capturedMs));
    this.#readings = setInterval(() => this.#showReading(), READING_EVERY_MS);
  }

  /** @param {CameraState} camera */
  #stop(camera) {
    this.#stopFrames();
    clearInterval(this.#readings);
    this.#connection.stop();
    this.#camera.close();
    this.#update({ camera });
    this.#view.clearResult();
    this.#view.showReading(null);
    if (camera.phase !== "paused") this.idle();
  }

  /** @param {import("../camera/problems.js").CameraProblemKind} kind */
  #fail(kind) {
    this.#stop({ phase: "failed", kind });
  }

  /** @param {number} capturedMs */
  async #capture(capturedMs) {
    if (this.#encoding || !this.#connection.canSend) return; // a newer frame will come when there is a credit
    this.#encoding = true;
    try {
      const jpeg = await this.#encoder.encode(this.#view.video);
      if (jpeg) this.#connection.send(jpeg, capturedMs);
    } finally {
      this.#encoding = false;
    }
  }

  /** @param {ConnectionState} gateway */
  #onConnection(gateway) {
    this.#update({ gateway });
    if (gateway.phase !== "ready") {
      this.#view.clearResult();
      this.#view.showReading(null);
    }
  }

  /** @param {Card} card */
  #onReady(card) {
    this.#meter = new Meter(performance.now());
    this.#dropped = 0;
    this.#update({ card });
  }

  /** @param {Result} result */
  #onResult(result) {
    const nowMs = performance.now();
    this.#meter.add(nowMs, nowMs - result.captured_ms);
    this.#dropped = result.dropped;
    this.#view.showResult(result);
    const face = result.faces[0];
    if (this.#announcer.consider(face?.label ?? "", nowMs)) {
      this.#view.announce(face ? `${face.label}, ${percent(face.confidence)}` : "no face");
    }
  }

  #showReading() {
    if (this.#state.gateway.phase !== "ready") return;
    this.#view.showReading({ ...this.#meter.read(performance.now()), dropped: this.#dropped });
  }

  /** @param {Partial<LiveState>} change */
  #update(change) {
    this.#state = { ...this.#state, ...change };
    this.#view.showState(this.#state);
  }
}
