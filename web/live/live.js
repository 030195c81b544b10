/** Camera and gateway together: starts, streams, freezes, pauses while hidden, stops. */

import { Camera } from "../camera/camera.js";
import { FrameEncoder, watchFrames } from "../camera/capture.js";
import { CameraProblem } from "../camera/problems.js";
import { Connection } from "../stream/connection.js";
import { Probe } from "../stream/probe.js";
import { certaintyOf, emotionOf } from "../view/format.js";
import { Announcer } from "./announcer.js";
import { Meter } from "./meter.js";
import { SentFrames } from "./sent.js";

/** @typedef {import("../stream/messages.js").Card} Card */
/** @typedef {import("../stream/messages.js").Result} Result */
/** @typedef {import("../stream/connection.js").ConnectionState} ConnectionState */
/**
 * @typedef {{ phase: "off" | "starting" | "on" | "paused" }
 *   | { phase: "frozen", faces: number }
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
  #still;
  #explainer;
  #encoder = new FrameEncoder();
  #announcer = new Announcer();
  #meter = new Meter(0);
  #sent = new SentFrames();
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
   *   still: import("./still.js").Still,
   *   explainer: import("../explain/explainer.js").Explainer,
   *   devices: MediaDevices | undefined,
   *   openSocket: () => WebSocket,
   *   requestCard: () => Promise<Response>,
   * }} outside
   */
  constructor(view, { still, explainer, devices, openSocket, requestCard }) {
    this.#view = view;
    this.#still = still;
    this.#explainer = explainer;
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
    if (this.#isActive) this.#stop({ phase: "off" });
    else void this.#start();
  }

  /** Freeze the picture at the last analysed frame, or let it go on. */
  togglePause() {
    if (this.#state.camera.phase === "on") this.#freeze();
    else if (this.#state.camera.phase === "frozen") this.#resume();
  }

  /** @param {number} index of a face of the frozen frame, largest first */
  explain(index) {
    const frame = this.#sent.analysed;
    const face = frame?.result.faces[index];
    if (this.#state.camera.phase !== "frozen" || !frame || !face) return;
    void this.#explainer.explain(frame.jpeg, face, this.#isMirrored);
  }

  /** The page went out of sight: nobody looks, so nothing films. */
  hide() {
    if (this.#isActive) this.#stop({ phase: "paused" });
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
    this.#watchFrames();
    this.#readings = setInterval(() => this.#showReading(), READING_EVERY_MS);
  }

  /** @param {CameraState} camera */
  #stop(camera) {
    this.#stopFrames();
    clearInterval(this.#readings);
    this.#connection.stop();
    this.#camera.close();
    this.#sent.clear();
    this.#still.hide();
    this.#explainer.close();
    this.#update({ camera });
    this.#view.clearResult();
    this.#view.showReading(null);
    if (camera.phase !== "paused") this.idle();
  }

  #freeze() {
    const frame = this.#sent.analysed;
    if (!frame) return; // the button is not to be pressed before there is one
    this.#stopFrames();
    this.#still.show(frame.jpeg, this.#isMirrored);
    this.#update({ camera: { phase: "frozen", faces: frame.result.faces.length } });
  }

  #resume() {
    this.#still.hide();
    this.#update({ camera: { phase: "on" } });
    if (this.#state.gateway.phase !== "ready") this.#forgetResult();
    this.#watchFrames();
  }

  #watchFrames() {
    this.#stopFrames = watchFrames(this.#view.video, (capturedMs) => void this.#capture(capturedMs));
  }

  get #isActive() {
    return ["on", "starting", "frozen"].includes(this.#state.camera.phase);
  }

  get #isMirrored() {
    return this.#view.video.classList.contains("mirrored");
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
      if (!jpeg) return;
      this.#sent.add(jpeg, capturedMs);
      this.#connection.send(jpeg, capturedMs);
    } finally {
      this.#encoding = false;
    }
  }

  /** @param {ConnectionState} gateway */
  #onConnection(gateway) {
    this.#update({ gateway });
    if (gateway.phase !== "ready" && this.#state.camera.phase !== "frozen") this.#forgetResult();
  }

  /** What was seen last no longer describes what the camera sees. */
  #forgetResult() {
    this.#sent.clear();
    this.#view.clearResult();
    this.#view.showReading(null);
  }

  /** @param {Card} card */
  #onReady(card) {
    this.#meter = new Meter(performance.now());
    this.#dropped = 0;
    this.#update({ card });
  }

  /** @param {Result} result */
  #onResult(result) {
    if (this.#state.camera.phase === "frozen") return; // it was on its way
    const nowMs = performance.now();
    this.#sent.answered(result);
    this.#meter.add(nowMs, nowMs - result.captured_ms);
    this.#dropped = result.dropped;
    this.#view.showResult(result);
    const face = result.faces[0];
    if (this.#announcer.consider(face?.label ?? "", nowMs)) {
      this.#view.announce(face ? `${emotionOf(face)}, ${certaintyOf(face)}` : "no face");
    }
  }

  #showReading() {
    if (this.#state.gateway.phase !== "ready" || this.#state.camera.phase === "frozen") return;
    this.#view.showReading({ ...this.#meter.read(performance.now()), dropped: this.#dropped });
  }

  /** @param {Partial<LiveState>} change */
  #update(change) {
    this.#state = { ...this.#state, ...change };
    this.#view.showState(this.#state);
  }
}
