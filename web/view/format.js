/** Numbers, answers and the state of the page as people read them. */

import { cameraAdvice } from "../camera/camera.js";

export const NOTHING = "–";

const FACE_COLOURS = 6;

/** Such as `1:05` or `1:02:03`. @type {SayTime} */
export function clock(durationMs) {
	const seconds = Math.floor(durationMs / 1000);
	const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
	return parts.map((part) => `${part}`.padStart(2, "0")).join(":").replace(/^00:0?|^0/, "");
}

/** @type {SayNumber} */
export function date(words, since1970Ms) {
	return new Date(since1970Ms).toLocaleString(words.language, { dateStyle: "medium", timeStyle: "short" });
}

/** @param {number | null} value */
export function milliseconds(value) {
	return value === null ? NOTHING : `${Math.round(value)} ms`;
}

/** @type {SayNumber} */
export function perSecond(words, value) {
	return words.number(value, value < 9.95 ? 1 : 0);
}

/** With a question mark: not to be relied on. @type {SayFace} */
export function emotionOf(words, { label, uncertain }) {
	return words.emotion(label) + (uncertain ? "?" : "");
}

/** How sure the answer is, and what keeps it from being so: `41%, too dark, cut off`. @type {SayReasons} */
export function reasonsOf(words, { confidence, uncertain, reasons }, most = Infinity) {
	const seen = reasons.filter((reason) => reason !== "low_confidence");
	const causes = (seen.length > 0 ? seen : ["low_confidence"]).slice(0, uncertain ? most : 0);
	return [words.percent(confidence), ...causes.map((cause) => words.name("reasons", cause))].join(", ");
}

/** The same with one cause. @type {SayReasons} */
export function certaintyOf(words, face) {
	return reasonsOf(words, face, 1);
}

/** What stands at a face: `happiness 97%`. @type {SayShort} */
export function shortOf(words, face) {
	return `${emotionOf(words, face)} ${certaintyOf(words, face)}`;
}

/** @param {number} id of a face; people count from 1 */
export function numberOf(id) {
	return `${id + 1}`;
}

/** @param {number} id of a face */
export function lineOf(id) {
	return `--face-${1 + (id % FACE_COLOURS)}`;
}

/** @type {Paint} */
export function paint(painted, id) {
	painted.style.setProperty("--face-line", `var(${lineOf(id)})`);
}

/** @type {NoticeFor} */
export function noticeFor(words, { camera, gateway }, address) {
	/** @param {Notice["tone"]} tone @param {string} name */
	const notice = (tone, name, detail = "") => {
		const advice = words.say(`notice.${name}_advice`, { detail }).trim();
		return { tone, title: words.say(`notice.${name}`), advice };
	};
	if (camera.phase === "failed") return { tone: "problem", ...cameraAdvice(words, camera.kind, address) };
	if (gateway.phase === "refused") {
		return notice("problem", /^(token|scope)_/.test(gateway.code) ? "unpaired" : "refused", gateway.detail);
	}
	const trouble = troubleOf(gateway);
	if (trouble) return notice("problem", trouble);
	if (camera.phase === "on") return null;
	if (camera.phase === "starting") return notice("quiet", camera.again ? "stalled" : "starting");
	if (camera.phase !== "frozen") return notice("quiet", "welcome");
	return { ...notice("quiet", "paused"), ...(camera.faces === 0 && { advice: words.say("notice.paused_empty") }) };
}

/** @type {GatewayLine} */
export function gatewayLine({ gateway }) {
	const { phase } = gateway;
	const trouble = troubleOf(gateway);
	if (trouble) {
		const isNamed = trouble === phase || trouble === "busy";
		return { tone: "problem", key: `gateway.${isNamed ? trouble : "reconnecting"}` };
	}
	const tone = phase === "found" || phase === "ready" ? "good" : "wait";
	return { tone, key: `gateway.${phase === "closed" || phase === "unknown" ? "looking" : phase}` };
}

/** What is wrong with the gateway, as far as is known. @param {GatewayState} gateway */
function troubleOf(gateway) {
	if (gateway.phase === "unreachable" || gateway.phase === "refused") return gateway.phase;
	if (gateway.phase === "waiting") return gateway.reason;
	return gateway.phase === "connecting" ? gateway.again : null; // until it is back, so that nothing flickers
}
