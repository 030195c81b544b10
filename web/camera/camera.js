/** The camera: opened into a video element, released for certain. */

import { Problem } from "../view/elements.js";

/** Then it counts as open without a picture, too, so that it is seen to give none. */
const PLAYS_WITHIN_MS = 3000;

/** @type {CameraInto} */
export function cameraInto(video, devices, wishes, { onLost, onDevices }) {
	/** @type {MediaStream | null} */
	let stream = null;
	let attempt = 0; // an opening that was closed meanwhile must not leave the camera on
	devices?.addEventListener("devicechange", onDevices);

	return {
		list,
		close,

		get track() {
			return stream?.getVideoTracks()[0] ?? null;
		},

		get device() {
			return { deviceId: this.track?.getSettings().deviceId ?? "", label: this.track?.label ?? "" };
		},

		get facing() {
			const facing = this.track?.getSettings().facingMode;
			return facing === "user" || facing === "environment" ? facing : null;
		},

		async open() {
			close();
			const mine = attempt;
			try {
				const opened = await request();
				if (mine !== attempt) {
					release(opened);
					return false;
				}
				stream = video.srcObject = opened;
				for (const track of opened.getTracks()) track.onended = () => mine === attempt && onLost();
				await Promise.race([video.play(), new Promise((resolve) => setTimeout(resolve, PLAYS_WITHIN_MS))]);
				return mine === attempt;
			} catch (error) {
				if (mine !== attempt) return false;
				close();
				throw cameraProblem(error);
			}
		},
	};

	async function list() {
		return (await devices?.enumerateDevices() ?? []).filter((device) => device.kind === "videoinput");
	}

	function close() {
		attempt += 1;
		if (stream) release(stream);
		stream = video.srcObject = null;
	}

	async function request() {
		if (!devices) throw new CameraProblem("insecure");
		const { constraints } = wishes;
		const opened = await devices.getUserMedia({ audio: false, video: constraints });
		const wanted = wishes.among(await list());
		if (!wanted || opened.getVideoTracks()[0]?.getSettings().deviceId === wanted.deviceId) return opened;
		release(opened); // its id has changed since it was chosen
		return devices.getUserMedia({ audio: false, video: { ...constraints, deviceId: { exact: wanted.deviceId } } });
	}
}

/** @param {MediaStream} stream */
function release(stream) {
	for (const track of stream.getTracks()) track.stop();
}

/** @extends {Problem<CameraProblemKind>} */
export class CameraProblem extends Problem {}

/** @type {Readonly<Record<string, CameraProblemKind>>} */
const KINDS = {
	NotAllowedError: "denied",
	SecurityError: "denied",
	NotFoundError: "missing",
	OverconstrainedError: "missing",
	NotReadableError: "busy",
	AbortError: "busy",
};

/** @param {unknown} cause what opening it threw */
export function cameraProblem(cause) {
	if (cause instanceof CameraProblem) return cause;
	return new CameraProblem((cause instanceof Error && KINDS[cause.name]) || "unknown", cause);
}

/** @type {CameraAdvice} */
export function cameraAdvice(words, kind, { port, protocol }) {
	const address = port && protocol === "http:" ? `http://localhost:${port}` : "http://localhost";
	return { title: words.say(`camera.${kind}`), advice: words.say(`camera.${kind}_advice`, { address }) };
}

/** Enough for a face, little to encode; wishes, not demands. */
const SIZE = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };

/** @type {CameraWishesIn} */
export function cameraWishes(preferences) {
	return {
		get constraints() {
			const deviceId = preferences.get("camera");
			if (deviceId) return { ...SIZE, deviceId: { ideal: deviceId } };
			return { ...SIZE, facingMode: preferences.get("camera_facing") ?? "user" };
		},

		choose({ deviceId, label }) {
			preferences.set("camera", deviceId);
			preferences.set("camera_label", label);
		},

		face(facing) {
			preferences.set("camera", null);
			preferences.set("camera_facing", facing);
		},

		among(cameras) {
			const deviceId = preferences.get("camera");
			return deviceId ? findCamera(cameras, { deviceId, label: preferences.get("camera_label") ?? "" }) : undefined;
		},

		mirrors: (facing) => (preferences.get(`mirrored_${facing}`) ?? `${facing === "user"}`) === "true",

		setMirrored: (facing, mirrored) => preferences.set(`mirrored_${facing}`, `${mirrored}`),
	};
}

/** @type {FindCamera} */
export function findCamera(cameras, { deviceId, label }) {
	return cameras.find((camera) => camera.deviceId === deviceId)
		?? cameras.find((camera) => label !== "" && camera.label === label);
}
