/** What stays on this device, the accepted notice first, and how all of it goes. */

import { find, put } from "../view/elements.js";

/** Raised when the notice says something new: then it is shown again. */
export const NOTICE_VERSION = "1";

/** @type {AskConsent} */
export async function askConsent(preferences) {
	if (preferences.get("notice") === NOTICE_VERSION) return;
	const dialog = find("dialog#consent"); // whose form is sent by its only button
	await new Promise((resolve) => {
		dialog.oncancel = (event) => event.preventDefault();
		dialog.onclose = () => {
			if (dialog.returnValue) resolve(null);
			else dialog.showModal(); // a second Escape closes it whatever `cancel` says
		};
		dialog.showModal();
	});
	preferences.set("notice", NOTICE_VERSION);
}

/** @type {OfferErasing} */
export function offerErasing(words, store, preferences) {
	const dialog = find("dialog#erase");
	find("#erase-button").onclick = () => dialog.showModal();
	dialog.onclose = () => dialog.dataset["state"] && location.reload();
	find(".erase-all", dialog).onclick = async () => {
		try {
			const sessions = words.say("erase.sessions", { count: (await store.list()).length });
			await store.deleteAll();
			const { caches, navigator: { serviceWorker } } = globalThis; // missing where the address is not secure
			for (const name of (await caches?.keys()) ?? []) await caches.delete(name);
			for (const worker of (await serviceWorker?.getRegistrations()) ?? []) await worker.unregister();
			const settings = words.say("erase.settings", { count: preferences.clear() });
			put("[role=status]", words.say("erase.done", { sessions, settings }), dialog);
			dialog.dataset["state"] = "done";
		} catch {
			put("[role=status]", words.say("erase.failed"), dialog);
		}
	};
}

const PREFIX = "fer.";

/** @type {PreferencesIn} */
export function preferencesIn(read) {
	/** @type {Storage | null} */
	let storage = null;
	try {
		storage = read();
	} catch (error) {
		if (!(error instanceof DOMException)) throw error; // it is switched off
	}
	return {
		get: (name) => storage?.getItem(PREFIX + name) ?? null,

		set(name, value) {
			try {
				if (value === null) storage?.removeItem(PREFIX + name);
				else storage?.setItem(PREFIX + name, value);
			} catch (error) {
				if (!(error instanceof DOMException)) throw error; // the storage is full: asked again next time
			}
		},

		clear() {
			const keys = Object.keys(storage ?? {}).filter((key) => key.startsWith(PREFIX));
			for (const key of keys) storage?.removeItem(key);
			return keys.length;
		},
	};
}
