/** The picture of a recording, where a person switches it on: kept on this device beside the numbers, and shown with them. */

import { openVideo } from "../files/footage.js";
import { find } from "../view/elements.js";

const PIECE_MS = 1000;
const BITS_PER_SECOND = 1_000_000;
/** Further apart from the timeline the film is put right; it runs by a clock of its own. */
const APART_S = 0.3;

/** @type {FilmInto} */
export function filmInto(store, recorder, onFail) {
	const camera = find("#view-live video");
	const wanted = find("input#clip-switch");
	/** @type {MediaRecorder | null} */
	let film = null;
	return {
		get isWanted() {
			return wanted.checked;
		},

		show(films, offered) {
			const { session, elapsedMs } = recorder;
			wanted.disabled = session !== null;
			find(".clip").hidden = !offered || !("MediaRecorder" in window);
			if (!(films && session && wanted.checked)) {
				if (film?.state === "recording") film.stop(); // or its camera has ended it
				film = null;
			} else if (!film && camera.srcObject) {
				film = new MediaRecorder(/** @type {MediaStream} */ (camera.srcObject), { videoBitsPerSecond: BITS_PER_SECOND });
				film.ondataavailable = ({ data }) => store.film(session.id, elapsedMs, data).catch(onFail);
				film.start(PIECE_MS);
			}
		},
	};
}

/** @type {PlayerIn} */
export function playerIn(video) {
	/** @type {readonly Clip[]} */
	let clips = [];
	/** @type {Clip | undefined} */
	let shown;
	let isReady = false;
	let atMs = 0;
	let plays = false;
	return {
		open(found) {
			clips = found;
			void choose(undefined);
		},

		show(nowMs, isPlaying) {
			[atMs, plays] = [nowMs, isPlaying];
			void choose(clips.filter((clip) => clip.atMs <= atMs).at(-1) ?? clips[0]);
			follow();
		},
	};

	/** @param {Clip | undefined} clip */
	async function choose(clip) {
		if (clip === shown) return;
		shown = clip;
		isReady = false;
		video.hidden = !clip;
		URL.revokeObjectURL(video.src);
		if (!clip) return video.removeAttribute("src");
		try {
			await openVideo(video, URL.createObjectURL(clip.film));
			isReady = clip === shown;
		} catch (error) {
			if (!(error instanceof DOMException)) throw error;
			video.hidden ||= clip === shown; // a film that was cut off before its first picture
		}
		follow();
	}

	function follow() {
		if (!shown || !isReady) return;
		const wantedS = Math.min(Math.max(0, atMs - shown.atMs) / 1000, video.duration);
		const runs = plays && wantedS < video.duration;
		if (Math.abs(video.currentTime - wantedS) > (runs ? APART_S : 0)) video.currentTime = wantedS;
		if (!runs) video.pause();
		else if (video.paused) void video.play().catch(() => {}); // the next pause was sooner
	}
}
