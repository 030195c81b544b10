/** The frames of a video: one after another from the file, each sent once the one before is answered. */

import { connectionTo } from "../stream/connection.js";
import { Refusal, toJpeg } from "./photos.js";

const LOOK_EVERY_MS = 100;

/** @type {StreamFrames} */
export async function streamFrames(openSocket, frames, signal, { onReady, onState, onResult }) {
	/** @type {VideoFrameOnItsWay | null} */
	let current = null;
	let end = signal.reason; // it may come while no frame is on its way
	let firstId = 0; // each connection counts its faces from 0
	let nextId = 0;
	/** @param {unknown} reason */
	const fail = (reason) => {
		end = reason;
		current?.reject(reason);
	};
	const connection = connectionTo(openSocket, {
		onState: (state) => {
			if (current) current.sent = false; // to be sent again
			if (state.phase === "refused") fail(new Refusal(state.detail));
			onState(state);
		},
		onReady: (ready) => {
			firstId = nextId;
			onReady(ready);
		},
		onFailure: ({ problem }) => fail(new Refusal(`${problem.title}. ${problem.detail}`)),
		onResult: (result) => {
			const faces = result.faces.map((face) => ({ ...face, id: firstId + face.id }));
			nextId = Math.max(nextId, ...faces.map(({ id }) => id + 1));
			current?.resolve({ ...result, faces });
			current = null;
		},
	});
	const push = () => {
		if (!current || current.sent || !connection.canSend) return;
		current.sent = true;
		connection.send(current.jpeg, current.atMs);
	};
	signal.addEventListener("abort", () => fail(signal.reason));
	connection.start();
	const looking = setInterval(push, LOOK_EVERY_MS); // credits and connections come when they come
	try {
		for await (const frame of frames) {
			if (end) throw end;
			onResult(await new Promise((resolve, reject) => {
				current = { ...frame, sent: false, resolve, reject };
				push();
			}));
		}
	} finally {
		clearInterval(looking);
		connection.stop();
	}
}

const LONGEST_PX = 960;
const STUCK_MS = 20_000;
/** While nobody looks at the page, no picture is told of as shown. */
const SHOWN_WITHIN_MS = 250;

/** @type {OpenVideo} */
export async function openVideo(video, address) {
	await after(video, "loadedmetadata", () => (video.src = address));
	if (video.videoWidth === 0) throw unplayable();
	await video.play().catch(() => {}); // iPhones show no frame before it played
	video.pause();
	// Recordings of browsers do not say how long they are before their end was seen.
	if (video.duration === Infinity) await after(video, "durationchange", () => (video.currentTime = 1e9));
}

/** @type {FramesOf} */
export async function* framesOf(video, perSecond) {
	const canvas = document.createElement("canvas");
	let beforeMs = -1;
	for (let index = 0; index / perSecond < video.duration; index += 1) {
		const atMs = 1000 * (await goTo(video, index / perSecond));
		if (atMs <= beforeMs) continue;
		beforeMs = atMs;
		const jpeg = await toJpeg(video, video.videoWidth, video.videoHeight, LONGEST_PX, canvas);
		yield { atMs, jpeg: await jpeg.arrayBuffer() };
	}
}

/** @type {GoTo} */
async function goTo(video, timeS) {
	const shown = new Promise((resolve) => {
		video.requestVideoFrameCallback?.((_, { mediaTime }) => resolve(mediaTime));
	});
	await after(video, "seeked", () => (video.currentTime = timeS));
	return Promise.race([shown, new Promise((resolve) => setTimeout(resolve, SHOWN_WITHIN_MS, timeS))]);
}

/** @type {AfterEvent} */
function after(video, event, act) {
	return new Promise((resolve, reject) => {
		const heard = new AbortController();
		const fail = () => (heard.abort(), reject(unplayable()));
		const timer = setTimeout(fail, STUCK_MS);
		video.addEventListener("error", fail, heard);
		video.addEventListener(event, () => (heard.abort(), clearTimeout(timer), resolve(event)), heard);
		act();
	});
}

function unplayable() {
	return new DOMException("the video does not play", "NotSupportedError");
}
