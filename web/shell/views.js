/** The page as an app: its views, one open at a time, a demonstration, installation and updates. */

import { find } from "../view/elements.js";

/** @type {ShowViews} */
export function showViews(onOpen) {
	const views = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-view]"));
	const names = [...views].map((view) => view.dataset["view"] ?? ""); // the first is the usual one
	addEventListener("hashchange", () => {
		/** @type {HTMLElement | null} */
		const heading = document.querySelector(`[data-view="${open()}"] h2[tabindex]`);
		heading?.focus(); // for those who do not see the change
	});
	open();

	function open() {
		const place = placeOf(location.hash, names);
		for (const view of views) view.hidden = view.dataset["view"] !== place.view;
		for (const link of document.querySelectorAll(".views a")) {
			link.ariaCurrent = link.getAttribute("href") === `#${place.view}` ? "page" : null;
		}
		document.body.dataset["open"] = place.view;
		onOpen(place);
		return place.view;
	}
}

/** @type {PlaceOf} */
export function placeOf(hash, names) {
	const [view = "", ...rest] = hash.replace(/^#/, "").split("/");
	return names.includes(view) ? { view, rest: rest.join("/") } : { view: names[0] ?? "", rest: "" };
}

const HOLD_MS = 1500;

/** @type {KioskOf} */
export function kioskOf(startCamera) {
	const root = find("#kiosk");
	const start = find("button", root);
	/** @type {Timer} */
	let hold;

	for (const [button, act] of /** @type {const} */ ([[start, startCamera], [find("#kiosk-button"), enter]])) {
		button.onclick = () => {
			act();
			void document.documentElement.requestFullscreen?.().catch(() => {});
		};
	}
	document.addEventListener("fullscreenchange", () => document.fullscreenElement ?? leave());
	document.addEventListener("keydown", ({ key }) => key === "Escape" && leave());
	document.addEventListener("pointerdown", () => {
		clearTimeout(hold); // of another finger
		hold = setTimeout(leave, HOLD_MS);
	});
	for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => clearTimeout(hold));
	document.addEventListener("contextmenu", (event) => root.hidden || event.preventDefault());
	return { enter };

	function enter() {
		location.hash = "#live";
		root.hidden = false;
		document.body.dataset["kiosk"] = "";
		start.focus();
	}

	function leave() {
		if (root.hidden) return;
		root.hidden = true;
		delete document.body.dataset["kiosk"];
		history.replaceState(null, "", location.pathname + location.hash); // a reload does not enter again
		if (document.fullscreenElement) void document.exitFullscreen();
	}
}

export function offerInstall() {
	const section = find("#install");
	const show = (way = "menu") => (section.dataset["way"] = way);
	const installed = matchMedia("(display-mode: standalone)").matches;
	show(installed ? "done" : "standalone" in navigator ? "ios" : "menu"); // only iOS knows `standalone`
	addEventListener("beforeinstallprompt", (event) => {
		event.preventDefault();
		const offer = /** @type {Event & { prompt: () => Promise<unknown> }} */ (event);
		find("button", section).onclick = () => void offer.prompt();
		show("prompt");
	});
	addEventListener("appinstalled", () => show("done"));
}

/** @type {WatchUpdates} */
export async function watchUpdates(container, onUpdate) {
	const registration = await container.register("/service-worker.js", { updateViaCache: "none" });
	/** @param {ServiceWorker} worker */
	const offer = (worker) => {
		if (!container.controller) return; // the first version replaces nothing
		onUpdate(() => {
			container.addEventListener("controllerchange", () => location.reload(), { once: true });
			worker.postMessage("activate");
		});
	};
	if (registration.waiting) offer(registration.waiting);
	registration.onupdatefound = () => {
		const worker = registration.installing;
		worker?.addEventListener("statechange", () => worker.state === "installed" && offer(worker));
	};
}
