/** The live view as one object: shows a state, a result, a reading; reads nothing back. */

import { find, put } from "./elements.js";
import { certaintyOf, emotionOf, gatewayLine, noticeFor } from "./format.js";
import { overlayOf } from "./overlay.js";
import { panelOf } from "./panel.js";

/** @type {ViewOf} */
export function viewOf(words) {
	const stage = find(".stage");
	const video = find("video", stage);
	const choice = find("select#camera-choice");
	const overlay = overlayOf(video, words);
	const panel = panelOf(words);
	/** @type {Card | null} */
	let known = null;
	/** @type {{ result: Result, id: number | undefined } | null} */
	let last = null;

	offerFullScreen(find(".camera"));
	video.onloadedmetadata = video.onresize = () => { // the phone was turned
		if (video.videoWidth > 0) stage.style.setProperty("--picture-ratio", `${video.videoWidth / video.videoHeight}`);
	};
	new ResizeObserver(placeFaces).observe(video); // a frozen frame brings no new boxes
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => known && panel.setLabels(known.labels));

	return {
		video,
		still: stillIn(find("img.still", stage)),
		showReading: panel.showReading,

		get isMirrored() {
			return video.classList.contains("mirrored");
		},

		listen({ onFace, onCamera, ...clicks }) {
			overlay.onFace = onFace;
			choice.onchange = () => onCamera(choice.value);
			for (const [name, onClick] of Object.entries(clicks)) button(name).onclick = onClick;
		},

		showState(state) {
			const { camera, card } = state;
			document.body.dataset["camera"] = camera.phase;
			find(".faces", stage).inert = camera.phase !== "on" && camera.phase !== "frozen";
			panel.run(camera.phase === "on");
			button("camera").disabled = button("kiosk-start").disabled = camera.phase === "failed" && camera.kind === "insecure";
			if (card && card !== known) panel.setLabels(card.labels);
			known = card;
			const notice = noticeFor(words, state, location);
			find(".notice").dataset["tone"] = notice?.tone ?? "none";
			put(".notice-title", notice?.title ?? "");
			put(".notice-advice", notice?.advice ?? "");
			const { tone, key } = gatewayLine(state);
			find(".gateway").dataset["tone"] = tone;
			put(".gateway-words", words.say(key));
			put(".gateway-model", card ? `${card.name} ${card.version}` : "");
		},

		showResult(result, shown) {
			last = { result, id: shown.face?.id };
			placeFaces();
			panel.show(shown);
			button("pause").disabled = button("picture").disabled = false;
		},

		clear() {
			last = null;
			overlay.clear();
			panel.show(null);
			panel.showReading(null);
			button("pause").disabled = button("picture").disabled = true;
		},

		showMirrored(mirrored) {
			for (const shown of stage.querySelectorAll("video, .still")) shown.classList.toggle("mirrored", mirrored);
			button("mirror").ariaPressed = `${mirrored}`;
			placeFaces();
		},

		showCameras(cameras, used, turns) {
			const several = cameras.length > 1 && cameras.every((camera) => camera.deviceId !== "");
			button("flip").hidden = !several || !turns;
			choice.hidden = !several;
			choice.replaceChildren(...cameras.map(({ label, deviceId }, index) => (
				new Option(label || words.say("live.camera_number", { number: index + 1 }), deviceId)
			)));
			choice.value = used;
		},

		announce(face) {
			put("#announcement", face
				? words.say("live.announced", { emotion: emotionOf(words, face), certainty: certaintyOf(words, face) })
				: words.say("live.no_face"));
		},
	};

	function placeFaces() {
		if (last) overlay.render(last.result.faces, last.result, last.id);
	}

	/** @param {string} name */
	function button(name) {
		return /** @type {HTMLButtonElement} */ (find(`#${name}-button`));
	}
}

/** @param {HTMLElement} section that fills the screen */
export function offerFullScreen(section) {
	const button = find("#screen-button", section);
	button.hidden = !document.fullscreenEnabled; // as on iPhones
	button.onclick = () => {
		if (document.fullscreenElement) void document.exitFullscreen();
		else section.requestFullscreen().catch(() => (button.hidden = true)); // the page stands in a frame
	};
	document.addEventListener("fullscreenchange", () => {
		button.ariaPressed = `${document.fullscreenElement === section}`;
	});
}

/** @type {StillIn} */
export function stillIn(image) {
	const hide = () => {
		image.hidden = true;
		URL.revokeObjectURL(image.src);
		image.removeAttribute("src");
	};
	return {
		hide,
		show(frame) {
			hide();
			image.src = URL.createObjectURL(frame);
			image.hidden = false;
		},
	};
}
