/** What photos show: tiles with boxes and words, one enlarged, and rows for tables. */

import { csvOf } from "../sessions/export.js";
import { element, find, put } from "../view/elements.js";
import { certaintyOf, emotionOf } from "../view/format.js";
import { barsIn } from "../view/panel.js";
import { Refusal } from "./photos.js";

/** So near to the upper edge there is no room above a box. */
const TOP = 0.12;

/** @type {BoxesOf} */
export function boxesOf(words, faces, tag = "span") {
	return faces.map((face) => {
		const { x: left, y: top, width, height } = face.box;
		const text = tag === "span" ? emotionOf(words, face) : said(words, face, words.percent(face.confidence));
		const box = element(tag, "", element("span", text));
		box.className = `found${face.uncertain ? " uncertain" : ""}${top < TOP ? " label-inside" : ""}`;
		for (const [name, share] of Object.entries({ left, top, width, height })) box.style.setProperty(name, `${100 * share}%`);
		return box;
	});
}

/** @type {FillTile} */
export function fillTile(words, tile, photo) {
	const { phase, name, blob, faces } = photo;
	const open = find("button.photo-open", tile);
	tile.dataset["phase"] = phase;
	open.disabled = phase !== "done";
	open.ariaLabel = words.say("files.enlarge", { name });
	if (blob) frame(find(".framed", open), photo, boxesOf(words, faces));
	put(".photo-name", name, tile);
	put(".photo-words", summary(words, photo), tile);
	find(".photo-retry", tile).hidden = phase !== "failed" || !blob;
}

/** @type {Enlarger} */
export function enlarger(words) {
	const dialog = find("dialog#photo");
	const bars = barsIn(find(".bars", dialog), words);
	return (photo) => {
		const { name, faces, labels } = photo;
		const boxes = boxesOf(words, faces, "button");
		const choose = (chosen = 0) => {
			const face = faces[chosen];
			boxes.forEach((box, index) => (box.ariaPressed = `${index === chosen}`));
			put(".photo-face", face
				? words.say("files.chosen", { number: chosen + 1, count: faces.length, said: said(words, face) })
				: words.say("files.no_face"), dialog);
			bars.show(face?.probabilities);
		};
		boxes.forEach((box, index) => (box.onclick = () => choose(index)));
		put("h2", name, dialog);
		frame(find(".framed", dialog), photo, boxes);
		bars.setLabels(labels);
		choose();
		dialog.showModal();
	};
}

/** @type {FramePhoto} */
function frame(framed, { address, name, ratio }, boxes) {
	const image = framed.querySelector("img") ?? new Image();
	if (image.src !== address) Object.assign(image, { src: address, alt: name });
	framed.style.setProperty("--picture-ratio", `${ratio}`);
	framed.replaceChildren(image, ...boxes);
}

/** @type {SayPhoto} */
function summary(words, { phase, name, problem, faces: [face, ...others] }) {
	if (problem instanceof Refusal) return problem.message || words.say("files.senseless");
	if (problem) return words.say("files.unreadable", { name });
	if (phase !== "done") return words.say(`files.${phase}`);
	if (!face) return words.say("files.no_face");
	return others.length > 0 ? words.say("files.faces", { count: 1 + others.length }) : said(words, face);
}

/** @type {SayFound} */
function said(words, face, certainty = certaintyOf(words, face)) {
	return words.say("files.said", { emotion: emotionOf(words, face), certainty });
}

const HEAD = ["file", "face", "emotion", "confidence", "uncertain"];

/** @type {PhotosToCsv} */
export function toCsv(photos) {
	return csvOf(rowsOf(photos));
}

/** @type {TableOf} */
export function tableOf(words, photos) {
	return rowsOf(photos).map((cells, index) => element("tr", "", ...cells.map((value, column) => {
		const text = `${value}`;
		if (index === 0) return element("th", column < HEAD.length ? words.say(`files.${text}`) : words.emotion(text));
		if (column === 2) return element("td", text ? words.emotion(text) : words.say("files.no_face"));
		if (column === 4) return element("td", text.split(" ").map((name) => words.name("reasons", name)).join(", "));
		return element("td", typeof value === "number" && column > 2 ? words.percent(value) : text);
	})));
}

/** @type {RowsOf} */
function rowsOf(photos) {
	const names = [...new Set(photos.flatMap(({ labels }) => labels))]; // the gateway may have changed its model
	return [[...HEAD, ...names], ...photos.flatMap(({ phase, name, labels, faces }) => {
		if (phase === "done" && faces.length === 0) return [[name, ...[...HEAD.slice(1), ...names].map(() => "")]];
		return faces.map(({ label, confidence, uncertain, reasons, probabilities }, index) => [
			name, index + 1, label, confidence, uncertain ? reasons.join(" ") : "",
			...names.map((other) => probabilities[labels.indexOf(other)] ?? ""),
		]);
	})];
}
