/** Encodes frames off the main thread: one that it is given, or else the newest of a stream of them. */

const worker = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { alpha: false });
/** @type {ReadFrame | null} not yet encoded */
let newest = null;
/** @type {((read: ReadFrame) => void) | null} */
let waiting = null;

/** After an error the page goes on alone. @param {ForEncoder} event */
worker.onmessage = ({ data: { frames, ...rest } }) => {
	void (frames ? read(frames.getReader()).catch(reportError) : answer(rest));
};

/** @param {ReadableStreamDefaultReader<VideoFrame>} reader */
async function read(reader) {
	for (let next; !(next = await reader.read()).done;) {
		newest?.frame.close();
		newest = { frame: next.value, atMs: performance.timeOrigin + performance.now() };
		if (!waiting) continue;
		waiting(newest);
		waiting = newest = null;
	}
}

/** @returns {Promise<ReadFrame>} */
async function take() {
	const taken = newest;
	newest = null;
	return taken ?? new Promise((resolve) => (waiting = resolve));
}

/** Always: the page waits for it. @param {ToEncode} wanted */
async function answer(wanted) {
	const encoded = await encode(wanted).catch(() => ({ jpeg: undefined })); // the next frame may work
	worker.postMessage(encoded, encoded.jpeg ? [encoded.jpeg] : []);
}

/** @param {ToEncode} wanted */
async function encode({ frame: given, width, height }) {
	const { frame, atMs } = given ? { frame: given } : await take();
	try {
		const isUpright = !("displayWidth" in frame) || frame.displayWidth > frame.displayHeight === width > height;
		if (!isUpright) return { jpeg: null }; // as the sensor sees it, not as the phone is held
		if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
		context?.drawImage(frame, 0, 0, width, height);
	} finally {
		frame.close();
	}
	const file = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 });
	return { jpeg: await file.arrayBuffer(), atMs };
}

if (context) worker.postMessage("ready");

export {};
