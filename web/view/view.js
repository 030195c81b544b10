/** The page as one object: shows a state, a result, a reading; reads nothing back. */

import { Bars } from "./bars.js";
import { find } from "./elements.js";
import { certaintyOf, emotionOf, milliseconds, NOTHING, perSecond } from "./format.js";
import { gatewayLine, noticeFor } from "./notice.js";
import { Overlay } from "./overlay.js";

/** @typedef {import("../live/live.js").LiveState} LiveState */
/** @typedef {import("../stream/messages.js").Card} Card */
/** @typedef {import("../stream/messages.js").Result} Result */

export class View {
  #body;
  #stage;
  #overlay;
  #bars;
  #button;
  #pauseButton;
  #faces;
  #notice;
  #gateway;
  #main;
  #statistics;
  #announcement;
  /** @type {Card | null} */
  #card = null;
  /** @type {Result | null} */
  #shown = null;

  /** @param {Document} document */
  constructor(document) {
    this.#body = document.body;
    this.#stage = find(document, ".stage", HTMLElement);
    this.video = find(document, "video", HTMLVideoElement);
    this.#faces = find(document, ".faces", HTMLElement);
    this.#overlay = new Overlay(this.#faces, this.video, find(document, "#face-template", HTMLTemplateElement));
    this.#bars = new Bars(find(document, ".bars", HTMLElement), find(document, "#bar-template", HTMLTemplateElement));
    this.#button = find(document, "#camera-button", HTMLButtonElement);
    this.#pauseButton = find(document, "#pause-button", HTMLButtonElement);
    this.#notice = find(document, ".notice", HTMLElement);
    this.#gateway = find(document, ".gateway", HTMLElement);
    this.#main = find(document, ".main-face", HTMLElement);
    this.#statistics = find(document, ".statistics", HTMLElement);
    this.#announcement = find(document, "#announcement", HTMLElement);
    const fitStage = () => this.#fitStage();
    this.video.addEventListener("loadedmetadata", fitStage);
    this.video.addEventListener("resize", fitStage); // the phone was turned
    new ResizeObserver(() => this.#placeFaces()).observe(this.video); // a frozen frame brings no new boxes
  }

  /** @param {{ onToggle: () => void, onPause: () => void, onFace: (index: number) => void }} handlers */
  listen({ onToggle, onPause, onFace }) {
    this.#button.addEventListener("click", onToggle);
    this.#pauseButton.addEventListener("click", onPause);
    this.#faces.addEventListener("click", ({ target }) => {
      const index = [...this.#faces.children].findIndex((face) => target instanceof Node && face.contains(target));
      if (index >= 0) onFace(index);
    });
  }

  /** @param {LiveState} state */
  showState(state) {
    const { phase } = state.camera;
    const frozen = phase === "frozen";
    const active = phase === "on" || phase === "starting" || frozen;
    this.#body.dataset["camera"] = phase;
    this.#faces.inert = !frozen;
    this.#pauseButton.hidden = phase !== "on" && !frozen;
    this.#pauseButton.classList.toggle("resume", frozen);
    find(this.#pauseButton, ".button-words", HTMLElement).textContent = frozen ? "Resume" : "Pause";
    this.#button.disabled = state.camera.phase === "failed" && state.camera.kind === "insecure";
    this.#button.classList.toggle("stop", active);
    find(this.#button, ".button-words", HTMLElement).textContent = active ? "Stop camera" : "Start camera";
    this.#showNotice(noticeFor(state, window.location));
    if (state.card && state.card !== this.#card) {
      this.#card = state.card;
      this.#bars.setLabels(state.card.labels);
    }
    const { tone, words } = gatewayLine(state);
    this.#gateway.dataset["tone"] = tone;
    find(this.#gateway, ".gateway-words", HTMLElement).textContent = words;
    find(this.#gateway, ".gateway-model", HTMLElement).textContent =
      state.card ? `${state.card.name} ${state.card.version}` : "";
  }

  /** @param {Result} result */
  showResult(result) {
    const face = result.faces[0];
    this.#shown = result;
    this.#placeFaces();
    this.#pauseButton.disabled = false;
    this.#showMain(face ? emotionOf(face) : "no face", face ? certaintyOf(face) : "", face?.label ?? "");
    if (face) this.#bars.render(face.probabilities);
    else this.#bars.clear();
  }

  /** Forget the last result: it no longer describes what the camera sees. */
  clearResult() {
    this.#shown = null;
    this.#overlay.clear();
    this.#pauseButton.disabled = true;
    this.#bars.clear();
    this.#showMain(NOTHING, "", "");
  }

  /** @param {{ framesPerSecond: number, latencyMs: number | null, dropped: number } | null} reading null when idle */
  showReading(reading) {
    const words = {
      "frames-per-second": reading ? perSecond(reading.framesPerSecond) : NOTHING,
      latency: milliseconds(reading?.latencyMs ?? null),
      dropped: reading ? `${reading.dropped}` : NOTHING,
    };
    for (const [name, value] of Object.entries(words)) {
      find(this.#statistics, `[data-testid="${name}"]`, HTMLElement).textContent = value;
    }
  }

  /** @param {string} words for screen readers */
  announce(words) {
    this.#announcement.textContent = words;
  }

  /**
   * @param {string} label
   * @param {string} confidence
   * @param {string} emotion empty for none
   */
  #showMain(label, confidence, emotion) {
    find(this.#main, "[data-testid=main-label]", HTMLElement).textContent = label;
    find(this.#main, "[data-testid=main-confidence]", HTMLElement).textContent = confidence;
    find(this.#main, ".glyph", HTMLElement).dataset["emotion"] = emotion;
  }

  /** @param {import("./notice.js").Notice | null} notice */
  #showNotice(notice) {
    this.#notice.dataset["tone"] = notice?.tone ?? "none";
    const title = find(this.#notice, ".notice-title", HTMLElement);
    const advice = find(this.#notice, ".notice-advice", HTMLElement);
    if (title.textContent === (notice?.title ?? "") && advice.textContent === (notice?.advice ?? "")) return;
    title.textContent = notice?.title ?? "";
    advice.textContent = notice?.advice ?? "";
  }

  #placeFaces() {
    if (this.#shown) this.#overlay.render(this.#shown.faces, this.#shown);
  }

  #fitStage() {
    const { videoWidth, videoHeight } = this.video;
    if (videoWidth > 0) this.#stage.style.setProperty("--picture-ratio", `${videoWidth / videoHeight}`);
  }
}
