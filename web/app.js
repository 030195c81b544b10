/** Entry of the page: makes the parts and connects them to the browser. */

import { cameraWishes } from "./camera/camera.js";
import { frameEncoder } from "./camera/encoder.js";
import { savePicture } from "./charts/timeline.js";
import { explainerWith } from "./explain/explainer.js";
import { openFiles } from "./files/files.js";
import { chooseLanguage, loadWords, offerLanguages, translate } from "./language/load.js";
import { keepAwake } from "./live/cameras.js";
import { openLive } from "./live/live.js";
import { recordControl } from "./sessions/recording.js";
import { openSessions } from "./sessions/sessions.js";
import { storeIn } from "./sessions/store.js";
import { askConsent, offerErasing, preferencesIn } from "./shell/privacy.js";
import { kioskOf, offerInstall, showViews, watchUpdates } from "./shell/views.js";
import { statusPanel } from "./status/panel.js";
import { streamAddress, SUBPROTOCOL } from "./stream/messages.js";
import { find } from "./view/elements.js";
import { viewOf } from "./view/view.js";

const ANSWER_WITHIN_MS = 5000;
const ANALYSE_WITHIN_MS = 60_000;

/** @param {string} path */
const request = (path) => fetch(path, { headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
/** @type {Post} */
const post = (path, body, signal) => fetch(`/api/v1/${path}`, { method: "POST", headers, body, signal, cache: "no-store" });
const preferences = preferencesIn(() => localStorage);
const token = preferences.get("token"); // of the page where devices are paired
const headers = token ? { Authorization: `Bearer ${token}` } : {};
/** @type {OpenSocket} */
const openSocket = Object.assign(() => new WebSocket(streamAddress(location.href), SUBPROTOCOL), token && { token });
const store = storeIn(() => indexedDB);
const chosen = preferences.get("language");
const words = await loadWords(chooseLanguage(chosen ? [chosen] : navigator.languages), (path) => fetch(path));
translate(words);
offerLanguages(words.language, preferences);
offerInstall();
document.addEventListener("click", ({ target }) => { // on the cross of a dialog, or beside it
	const closes = target instanceof Element && target.matches(".sheet-close, .sheet:has(.sheet-close)");
	if (closes) target.closest("dialog")?.close();
});
await askConsent(preferences);

const view = viewOf(words);
const kiosk = kioskOf(() => live.toggle());
const recording = recordControl(words, store, (kept) => live.keep(kept));
const live = openLive(view, {
	savePicture: (moment) => savePicture(moment, view.isMirrored, words),
	explainer: explainerWith(words, (jpeg, label, signal) => post(`explain?${new URLSearchParams({ label })}`, jpeg, signal)),
	encoder: frameEncoder(() => new Worker("/camera/encoder-worker.js", { type: "module" })),
	wishes: cameraWishes(preferences),
	devices: window.isSecureContext ? navigator.mediaDevices : undefined,
	openSocket,
	requestCard: () => request("/api/v1/model"),
	observers: [statusPanel(words, request), recording, keepAwake()],
});

document.addEventListener("visibilitychange", () => (document.hidden ? live.hide() : live.show()));
const files = openFiles(words, {
	analyse: (picture) => post("analyze", picture, AbortSignal.timeout(ANALYSE_WITHIN_MS)),
	openSocket,
	store,
});
const sessions = openSessions(words, store, recording.continue);
showViews(({ view: open, rest }) => {
	if (open === "live") live.enter();
	else live.leave();
	void (open === "sessions" ? sessions.open(rest) : sessions.close());
	if (open === "files" && rest === "shared") void files.takeShared();
});
offerErasing(words, store, preferences);
if (new URLSearchParams(location.search).has("kiosk")) kiosk.enter();
for (const part of document.querySelectorAll("body > [inert]")) part.removeAttribute("inert"); // now it answers

if ("serviceWorker" in navigator) {
	const button = find("#update-button");
	watchUpdates(navigator.serviceWorker, (activate) => {
		button.hidden = false;
		button.addEventListener("click", activate, { once: true });
	}).catch((error) => console.info("The page will not open offline.", error));
}
