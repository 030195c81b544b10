/** The cameras of this device: which is used, whether it gives pictures, and a screen that stays awake. */

import { findCamera } from "../camera/camera.js";

/** @type {ChooseCameras} */
export function chooseCameras(view, camera, wishes) {
	let last = { deviceId: "", label: "" }; // that was opened
	return {
		opened() {
			last = camera.device;
			view.showMirrored(wishes.mirrors(camera.facing ?? "user"));
			void list();
		},

		async choose(deviceId) {
			const device = (await camera.list()).find((one) => one.deviceId === deviceId);
			if (device) wishes.choose(device);
		},

		flip: () => wishes.face(camera.facing === "environment" ? "user" : "environment"),

		mirror() {
			const facing = camera.facing ?? "user";
			wishes.setMirrored(facing, !wishes.mirrors(facing));
			view.showMirrored(wishes.mirrors(facing));
		},

		async isBack(state) {
			const cameras = await list();
			if (state.phase !== "failed") return false;
			if (state.kind === "lost") return findCamera(cameras, last) !== undefined;
			return state.kind === "missing" && cameras.length > 0;
		},
	};

	async function list() {
		const cameras = await camera.list();
		view.showCameras(cameras, last.deviceId, camera.facing !== null);
		return cameras;
	}
}

const PATIENCE_MS = 2000;
const LONGEST_MS = 16_000;

/** @returns {Stall} */
export function makeStall() {
	let patienceMs = PATIENCE_MS;
	let last = NaN;
	let movedMs = 0;
	let askedMs = -Infinity;
	return {
		restart() {
			last = NaN;
			askedMs = -Infinity;
		},

		isDue(position, nowMs) {
			const slept = nowMs - askedMs >= PATIENCE_MS; // the whole page did: that says nothing of the camera
			askedMs = nowMs;
			if (position !== last || slept) {
				if (!Number.isNaN(last) && position !== last) patienceMs = PATIENCE_MS;
				last = position;
				movedMs = nowMs;
				return false;
			}
			if (nowMs - movedMs < patienceMs) return false;
			patienceMs = Math.min(2 * patienceMs, LONGEST_MS);
			movedMs = nowMs;
			return true;
		},
	};
}

/** @returns {LiveObserver} */
export function keepAwake() {
	let wanted = false;
	/** @type {WakeLockSentinel | null} */
	let lock = null;
	// The browser drops the lock when the page goes out of sight.
	document.addEventListener("visibilitychange", () => !document.hidden && void hold());
	return {
		onStart() {
			wanted = true;
			void hold();
		},
		onStop() {
			wanted = false;
			void lock?.release();
			lock = null;
		},
	};

	async function hold() {
		if (!wanted || !("wakeLock" in navigator) || (lock && !lock.released)) return;
		try {
			const held = await navigator.wakeLock.request("screen");
			if (wanted) lock = held;
			else await held.release();
		} catch (error) {
			if (!(error instanceof DOMException)) throw error; // a low battery, or hidden again: the screen may sleep then
		}
	}
}
