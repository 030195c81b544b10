/** Entry of the page: makes the parts and connects them to the browser. */

import { Explainer } from "./explain/explainer.js";
import { ExplanationPanel } from "./explain/panel.js";
import { Live } from "./live/live.js";
import { Still } from "./live/still.js";
import { watchUpdates } from "./shell/updates.js";
import { streamAddress, SUBPROTOCOL } from "./stream/frame.js";
import { find } from "./view/elements.js";
import { View } from "./view/view.js";

const ANSWER_WITHIN_MS = 5000;

const view = new View(document);
const live = new Live(view, {
  still: new Still(find(document, ".still", HTMLImageElement)),
  explainer: new Explainer(new ExplanationPanel(document), (jpeg, label, signal) => (
    fetch(`/api/v1/explain?${new URLSearchParams({ label })}`, { method: "POST", body: jpeg, signal, cache: "no-store" })
  )),
  devices: window.isSecureContext ? navigator.mediaDevices : undefined,
  openSocket: () => new WebSocket(streamAddress(location.href), SUBPROTOCOL),
  requestCard: () => fetch("/api/v1/model", { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }),
});

view.listen({
  onToggle: () => live.toggle(),
  onPause: () => live.togglePause(),
  onFace: (index) => live.explain(index),
});
document.addEventListener("visibilitychange", () => (document.hidden ? live.hide() : live.show()));
live.idle();

if ("serviceWorker" in navigator) {
  const button = find(document, "#update-button", HTMLButtonElement);
  watchUpdates(navigator.serviceWorker, (activate) => {
    button.hidden = false;
    button.addEventListener("click", activate, { once: true });
  }).catch((error) => console.info("The page will not open offline: the service worker was refused.", error));
}
