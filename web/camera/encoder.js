/** Turns what the camera shows into small JPEGs: in a worker where the browser can, else on the page. */

import { canvasOf, fileOf } from "../view/elements.js";

const JPEG_QUALITY = 0.8;

/** @type {FrameEncoderWith} */
export function frameEncoder(openWorker) {
	const { canvas } = canvasOf(1, 1);
	/** @type {Worker | null} */
	let opened = null;
	/** @type {Worker | null} */
	let ready = null;
	let reads = false; // the worker gets the track's frames by itself
	/** @type {(answer: Encoded | null) => void} */
	let answered = () => {};

	return {
		open(track) {
			close();
			try {
				const worker = opened = openWorker();
				worker.onerror = () => worker === opened && close(); // not of one before
				worker.onmessage = () => {
					worker.onmessage = ({ data }) => answered(data);
					ready = worker;
					const frames = framesOf(track);
					reads = frames !== null;
					if (frames) worker.postMessage({ frames }, [frames]);
				};
			} catch (error) {
				console.info("Frames are encoded on the page, without a worker.", error);
			}
		},

		close,

		async encode(video, widthPx, shownMs) {
			if (video.videoWidth === 0) return null;
			const size = sizeToSend(video.videoWidth, video.videoHeight, widthPx);
			const answer = await (ready ? ask(ready, video, size) : encodeHere(canvas, video, size));
			if (!answer?.jpeg) return null;
			return { jpeg: answer.jpeg, capturedMs: answer.atMs ? answer.atMs - performance.timeOrigin : shownMs };
		},
	};

	function close() {
		opened?.terminate();
		opened = ready = null;
		answered(null);
	}

	/** @type {EncodeFrameOf<Worker>} */
	async function ask(worker, video, size) {
		const frame = reads ? undefined : await createImageBitmap(video).catch(() => null); // it has none yet
		if (frame === null || worker !== ready) return null;
		/** @type {Encoded | null} */
		const answer = await new Promise((resolve) => {
			answered = resolve;
			worker.postMessage({ frame, ...size }, frame ? [frame] : []);
		});
		if (answer?.jpeg === null) reads = false;
		return answer;
	}

	/** On this thread. @type {EncodeFrameOf<HTMLCanvasElement>} */
	async function encodeHere(onto, video, { width, height }) {
		const context = canvasOf(width, height, onto);
		context.drawImage(video, 0, 0, width, height);
		const file = await fileOf(context, "image/jpeg", JPEG_QUALITY).catch(() => null); // the next frame may work
		return { jpeg: await file?.arrayBuffer() ?? null };
	}
}

/** Frames for a worker to read, so that this thread is spared them. @param {MediaStreamTrack} track */
function framesOf(track) {
	const Processor = /** @type {TrackProcessor | undefined} */ (Reflect.get(globalThis, "MediaStreamTrackProcessor"));
	return Processor ? new Processor({ track, maxBufferSize: 1 }).readable : null;
}

/** A capture time further back than this comes from another clock. */
const PLAUSIBLE_AGE_MS = 2000;

/** @type {WatchFrames} */
export function watchFrames(video, onFrame) {
	let handle = video.requestVideoFrameCallback(presented);
	return () => video.cancelVideoFrameCallback(handle);

	/** @param {number} now @param {VideoFrameCallbackMetadata} metadata */
	function presented(now, { captureTime = NaN }) {
		handle = video.requestVideoFrameCallback(presented);
		onFrame(captureTime <= now && now - captureTime < PLAUSIBLE_AGE_MS ? captureTime : now);
	}
}

/** @type {SizeToSend} */
export function sizeToSend(width, height, widest) {
	const scale = Math.min(1, widest / width);
	return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
