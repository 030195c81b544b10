/** The files view: photos and videos that were picked, dropped, pasted or shared, and what they show. */

import { copyOf, download, find, put } from "../view/elements.js";
import { photosWith } from "./photos.js";
import { enlarger, fillTile, tableOf, toCsv } from "./tile.js";
import { analyseVideo } from "./video.js";

/** @type {OpenFiles} */
export function openFiles(words, { analyse, openSocket, store }) {
	const root = find("#view-files");
	const input = find("input#files-input", root);
	const table = find("#files-table", root);
	const enlarge = enlarger(words);
	const photos = photosWith(analyse, show);
	/** @type {Map<Photo, HTMLElement>} */
	const tiles = new Map();
	/** @type {{ stop: () => void }[]} */
	let videos = [];
	let turn = Promise.resolve();
	/** @type {ForVideos} */
	const forVideos = {
		openSocket,
		store,
		perSecond: () => Number(find("select#files-rate", root).value),
		queue: (run) => void (turn = turn.finally(run)),
	};

	find("#files-pick", root).onclick = () => input.click();
	find("#files-clear", root).onclick = clear;
	find("#files-csv", root).onclick = () => download(toCsv(photos.all), "photos.csv", "text/csv");
	table.onclick = () => {
		table.ariaPressed = `${table.ariaPressed !== "true"}`;
		showAll();
	};
	input.onchange = () => {
		add(input.files);
		input.value = ""; // so that the same file can be picked again
	};
	document.addEventListener("paste", ({ clipboardData }) => root.hidden || add(clipboardData?.files));
	for (const type of /** @type {const} */ (["dragover", "dragleave", "drop"])) {
		document.addEventListener(type, (event) => {
			if (root.hidden || !event.dataTransfer?.types.includes("Files")) return;
			event.preventDefault(); // the browser would leave the page for the file
			root.classList.toggle("dragged-over", type === "dragover");
			if (type === "drop") add(event.dataTransfer.files);
		});
	}
	return { takeShared };

	/** Take over what the service worker got from another app. */
	async function takeShared() {
		const { caches } = globalThis; // missing where the address is not secure
		const cache = await caches?.open("shared");
		const files = await Promise.all((await cache?.matchAll() ?? []).map(async (response) => {
			const blob = await response.blob();
			return new File([blob], decodeURIComponent(response.headers.get("X-Name") ?? ""), { type: blob.type });
		}));
		await caches?.delete("shared");
		history.replaceState(null, "", "#files");
		add(files);
		if (files.length === 0) put(".files-status", words.say("files.not_shared"), root);
	}

	/** @param {ArrayLike<File> | null | undefined} files */
	function add(files) {
		for (const file of Array.from(files ?? [])) {
			const isVideo = file.type.startsWith("video/") || /\.(mp4|m4v|mov|webm|mkv|ogv|avi)$/i.test(file.name);
			if (isVideo) videos.push(analyseVideo(words, file, append(".videos", "video"), forVideos));
			else photos.add(file);
		}
		showAll();
	}

	function clear() {
		for (const video of videos) video.stop();
		videos = [];
		photos.clear();
		tiles.clear();
		for (const list of [".videos", ".gallery"]) find(list, root).replaceChildren();
		showAll();
		find("#files-pick", root).focus(); // the button that was pressed is gone
	}

	/** @param {Photo} photo */
	function show(photo) {
		const tile = tiles.get(photo) ?? append(".gallery", "photo");
		tiles.set(photo, tile);
		find(".photo-open", tile).onclick = () => enlarge(photo);
		find(".photo-retry", tile).onclick = () => photos.retry(photo);
		fillTile(words, tile, photo);
		showAll();
	}

	function showAll() {
		const { all } = photos;
		const phases = all.map(({ phase }) => phase);
		const done = phases.filter((phase) => phase === "done").length;
		const wait = phases.find((phase) => phase === "busy" || phase === "away");
		const asTable = table.ariaPressed === "true" && done > 0;
		find("#files-clear", root).hidden = all.length + videos.length === 0;
		find(".photo-actions", root).hidden = done === 0;
		find(".gallery", root).hidden = asTable;
		find(".results", root).hidden = !asTable;
		find(".results table", root).replaceChildren(...(asTable ? tableOf(words, all) : []));
		// While they come in, only a reason to wait is worth hearing.
		const comes = !wait && phases.some((phase) => phase === "waiting" || phase === "working");
		find(".files-status", root).ariaBusy = `${comes}`;
		put(".files-status", all.length > 0 ? words.say(`files.${wait ?? "count"}`, { count: all.length, done }) : "", root);
	}

	/** @param {string} list @param {string} template */
	function append(list, template) {
		return find(list, root).appendChild(copyOf(template));
	}
}
