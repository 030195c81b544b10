/** The photos that were picked: read, sent and answered two at a time, in memory only. */

import { is, MalformedMessage, parseFace, parseProblem, read } from "../stream/messages.js";
import { makeBackoff } from "../stream/probe.js";
import { canvasOf, fileOf } from "../view/elements.js";

const AT_ONCE = 2;

/** The gateway will not do it; without a message its answer made no sense. */
export class Refusal extends Error {}

/** @type {PhotosWith} */
export function photosWith(ask, onChange) {
	let working = 0;
	/** @type {Photos} */
	const photos = {
		all: [],

		add(file) {
			/** @type {Photo} */
			const photo = {
				name: file.name, file, phase: "waiting", problem: null, blob: null, address: "", ratio: 1, faces: [], labels: [],
			};
			photos.all.push(photo);
			photos.retry(photo);
		},

		retry(photo) {
			change(photo, { phase: "waiting", problem: null });
			void work();
		},

		clear() {
			for (const { address } of photos.all) URL.revokeObjectURL(address);
			photos.all = [];
		},
	};
	return photos;

	async function work() {
		if (working === AT_ONCE) return;
		working += 1;
		for (let photo; (photo = photos.all.find(({ phase }) => phase === "waiting"));) await see(photo);
		working -= 1;
	}

	/** @param {Photo} photo */
	async function see(photo) {
		const backoff = makeBackoff();
		change(photo, { phase: "working" });
		try {
			if (!photo.blob) {
				const { blob, ratio } = await readPicture(photo.file);
				change(photo, { blob, ratio, address: URL.createObjectURL(blob) });
			}
			while (photo.blob && photos.all.includes(photo)) {
				const answer = await analyse(ask, photo.blob);
				if ("faces" in answer) return change(photo, { ...answer, phase: "done" });
				change(photo, { phase: answer.wait });
				await new Promise((resolve) => setTimeout(resolve, answer.forMs || backoff.nextMs()));
			}
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof DOMException)) throw error;
			change(photo, { phase: "failed", problem: error });
		}
	}

	/** @param {Photo} photo @param {Partial<Photo>} news */
	function change(photo, news) {
		Object.assign(photo, news);
		if (photos.all.includes(photo)) onChange(photo);
		else URL.revokeObjectURL(photo.address); // what was under way when all were cleared ends unseen
	}
}

/** @type {AnalysePhoto} */
export async function analyse(ask, picture) {
	try {
		const response = await ask(picture);
		if (response.status > 501) return { wait: "busy", forMs: 1000 * Number(response.headers.get("Retry-After")) };
		const body = await response.json();
		if (!response.ok) {
			const { title, detail } = parseProblem(body);
			throw new Refusal(`${title}. ${detail}`);
		}
		/** @type {string[]} */
		let labels = [];
		/** @type {{ probabilities: object }[]} */
		const found = read(body, { faces: [is.object] }).faces;
		const faces = found.map((face, id) => {
			labels = Object.keys(read(face.probabilities, is.object, "probabilities"));
			return parseFace({ ...face, id, probabilities: Object.values(face.probabilities) });
		});
		return { faces, labels };
	} catch (error) {
		if (error instanceof SyntaxError || error instanceof MalformedMessage) throw new Refusal("", { cause: error });
		if (error instanceof TypeError || error instanceof DOMException) return { wait: "away", forMs: 0 };
		throw error;
	}
}

const LONGEST_PX = 2000;
const READ_BY_THE_GATEWAY = ["image/jpeg", "image/png", "image/webp"];

/** @type {ReadPicture} */
export async function readPicture(file) {
	const image = new Image();
	image.src = URL.createObjectURL(file);
	try {
		await image.decode();
		const { naturalWidth: width, naturalHeight: height } = image;
		const fits = Math.max(width, height) <= LONGEST_PX && READ_BY_THE_GATEWAY.includes(file.type);
		const blob = fits ? new Blob([await file.arrayBuffer()]) : await toJpeg(image, width, height, LONGEST_PX);
		return { blob, ratio: width / height };
	} finally {
		URL.revokeObjectURL(image.src);
	}
}

/** @type {ToJpeg} */
export function toJpeg(source, width, height, longestPx, onto) {
	const scale = Math.min(1, longestPx / Math.max(width, height));
	const context = canvasOf(width * scale, height * scale, onto);
	context.drawImage(source, 0, 0, context.canvas.width, context.canvas.height);
	return fileOf(context, "image/jpeg", 0.9);
}
