/** One video on the page: from the file to the timelines of its faces. */

import { advice, toCsv, toJson } from "../sessions/export.js";
import { newSession, sampleOf } from "../sessions/store.js";
import { faceIds, makeStrip } from "../sessions/strip.js";
import { download, element, find, put } from "../view/elements.js";
import { clock } from "../view/format.js";
import { framesOf, openVideo, streamFrames } from "./footage.js";
import { Refusal } from "./photos.js";
import { boxesOf } from "./tile.js";

/** @type {AnalyseVideo} */
export function analyseVideo(words, file, card, { openSocket, store, perSecond, queue }) {
	const { name } = file;
	const video = find("video", card);
	let stopping = new AbortController();
	/** @type {Session | null} */
	let session = null;
	/** @type {Sample[]} */
	let samples = [];

	card.onclick = ({ target }) => {
		const action = target instanceof HTMLButtonElement && target.dataset["action"];
		if (action === "cancel") stop();
		else if (action === "again") start();
		else if (session && action === "csv") download(toCsv(session, samples), `${name}.csv`, "text/csv");
		else if (session && action === "json") download(toJson(session, samples), `${name}.json`, "application/json");
		else if (session && action === "keep") void keep(session, samples);
	};
	put("h3", name, card);
	start();
	return { stop };

	function start() {
		stopping = new AbortController();
		const { signal } = stopping;
		show("waiting", words.say("files.waiting"));
		queue(() => run(signal));
	}

	function stop() {
		stopping.abort();
		if (card.dataset["phase"] === "waiting") show("failed", words.say("files.cancelled"));
	}

	/** @param {AbortSignal} signal */
	async function run(signal) {
		if (signal.aborted) return;
		const address = URL.createObjectURL(file);
		let outcome = words.say("files.cancelled");
		session = null;
		samples = [];
		show("running", words.say("files.working"));
		try {
			await openVideo(video, address);
			await stream(signal);
			outcome = words.say("files.video_done", { count: samples.length });
		} catch (error) {
			const reason = signal.aborted ? signal.reason : error;
			if (reason instanceof Refusal) outcome = reason.message;
			else if (!(reason instanceof DOMException)) throw reason;
			else if (!signal.aborted) outcome = words.say("files.unplayable", { name });
		} finally {
			URL.revokeObjectURL(address);
			video.removeAttribute("src");
			video.load();
			show(samples.length > 0 ? "done" : "failed", outcome);
			showFaces();
		}
	}

	/** @param {AbortSignal} signal */
	function stream(signal) {
		const { videoWidth, videoHeight, duration } = video;
		const startedMs = performance.now();
		find(".framed", card).style.setProperty("--picture-ratio", `${videoWidth / videoHeight}`);
		return streamFrames(openSocket, framesOf(video, perSecond()), signal, {
			onReady: ({ card: model }) => {
				const isOther = session && `${session.labels}` !== `${model.labels}`;
				if (isOther) stopping.abort(new Refusal(words.say("files.model_changed")));
				session ??= newSession(name, "video", model, 1000 * duration);
			},
			onState: (state) => {
				const reason = state.phase === "waiting" && (state.reason === "busy" ? "busy" : "away");
				if (state.phase === "ready" || reason) show("running", words.say(`files.${reason || "working"}`));
			},
			onResult: ({ captured_ms: atMs, faces }) => {
				const share = atMs / 1000 / duration;
				const left = clock((performance.now() - startedMs) * (1 / share - 1));
				const times = { done: clock(atMs), total: clock(1000 * duration), left };
				samples.push(sampleOf(atMs, faces));
				find(".video-boxes", card).replaceChildren(...boxesOf(words, faces, "div"));
				find("progress", card).value = share;
				put(".video-reading", share > 0 ? words.say("files.progress", times) : "", card);
			},
		});
	}

	/** @param {string} phase @param {string} text */
	function show(phase, text) {
		card.dataset["phase"] = phase;
		put(".video-status", text, card);
	}

	function showFaces() {
		find(".video-people", card).replaceChildren();
		if (!session || faceIds(samples).length === 0) return;
		const { labels, durationMs } = session;
		const line = element("p");
		const summarise = () => {
			const { seenMs, shares } = strip.summary;
			const parts = labels.map((label, index) => ({ emotion: words.emotion(label), share: shares[index] ?? 0 }))
				.filter(({ share }) => share >= 0.005)
				.sort((first, second) => second.share - first.share)
				.map(({ emotion, share }) => words.say("files.said", { emotion, certainty: words.percent(share) }));
			line.textContent = words.say("files.seen", { time: clock(seenMs), shares: parts.join(", ") });
		};
		/** @type {Strip} */
		const strip = makeStrip(words, { session, samples }, durationMs, (atMs) => strip.show(atMs), summarise);
		summarise();
		find(".video-people", card).append(line, strip.root);
	}

	/** It may be analysed again meanwhile. @param {Session} known @param {Sample[]} seen */
	async function keep(known, seen) {
		if (card.dataset["phase"] === "kept") return;
		show("kept", words.say("files.kept"));
		try {
			await store.append((await store.create(known)).id, seen);
		} catch (error) {
			if (card.dataset["phase"] === "kept") show("done", advice(words, error));
		}
	}
}
