/** Camera and gateway together: starts, streams, freezes, pauses while nobody looks, stops. */

import { cameraInto, CameraProblem } from "../camera/camera.js";
import { connectionTo } from "../stream/connection.js";
import { probeWith } from "../stream/probe.js";
import { keepAnswers } from "./answers.js";
import { chooseCameras, makeStall } from "./cameras.js";
import { frameSender, makePace } from "./sender.js";

const READING_EVERY_MS = 500;

/** @type {OpenLive} */
export function openLive(view, { explainer, encoder, wishes, devices, openSocket, requestCard, savePicture, observers }) {
	/** @type {LiveState} */
	let state = { camera: { phase: "off" }, gateway: { phase: "unknown" }, card: null };
	if (!devices) state = { ...state, camera: { phase: "failed", kind: "insecure" } };
	let hidden = false;
	let open = true; // the live view, among the views of the page
	let kept = false;
	let interrupted = false; // the stream of the frozen frame ended: another one will count its faces anew
	/** @type {Timer} from the first picture to the stop */
	let readings;

	const answers = keepAnswers(view, observers);
	const stall = makeStall();
	const camera = cameraInto(view.video, devices, wishes, {
		onLost: () => stop({ phase: "failed", kind: "lost" }),
		onDevices: async () => {
			if (await cameras.isBack(state.camera) && mayFilm() && !isActive()) void start();
		},
	});
	const cameras = chooseCameras(view, camera, wishes);
	const connection = connectionTo(openSocket, {
		onState: (gateway) => {
			update({ gateway });
			if (gateway.phase === "ready") return;
			if (is("frozen")) interrupted = true;
			else forgetResult();
		},
		onReady: ({ card }) => {
			answers.restart(performance.now());
			sender.pace = makePace(); // what was slow before may not be now
			update({ card });
		},
		onModel: ({ card }) => update({ card }),
		onResult: (result) => {
			if (!is("on")) return; // it was on its way
			const nowMs = performance.now();
			sender.pace.answered(nowMs - result.captured_ms, nowMs);
			answers.take(result, state.card, nowMs);
		},
	});
	const sender = frameSender(view.video, encoder, connection, answers.sent);
	const probe = probeWith(requestCard, {
		onCard: (card) => update({ card, gateway: { phase: "found" } }),
		onRefused: ({ detail, code }) => update({ gateway: { phase: "refused", detail, code } }),
		onUnreachable: () => update({ gateway: { phase: "unreachable" } }),
	});

	view.listen({
		camera: toggle,
		why: explain,
		mirror: cameras.mirror,
		pause: () => (is("frozen") ? resume() : freeze()),
		picture: () => answers.last && void savePicture(answers.last),

		onFace(id) {
			const { last } = answers;
			if (!is("frozen") || !last?.isChosen || last.face?.id !== id) answers.choose(id);
			if (is("frozen")) explain();
		},

		async onCamera(deviceId) {
			await cameras.choose(deviceId);
			void start();
		},

		flip() {
			cameras.flip();
			void start();
		},
	});
	idle();
	return {
		toggle,

		hide() {
			hidden = true;
			pauseUnwatched();
			probe.stop();
		},

		show() {
			hidden = false;
			// Phones may have taken the camera away before they said that the page was hidden.
			const filmed = is("paused") || (state.camera.phase === "failed" && state.camera.kind === "lost");
			if (filmed && mayFilm()) void start();
			else if (!isActive()) idle();
		},

		leave() {
			open = false;
			pauseUnwatched();
		},

		enter() {
			open = true;
			if (is("paused") && mayFilm()) void start();
		},

		keep(keeps) {
			kept = keeps;
			pauseUnwatched();
		},
	};

	function toggle() {
		if (isActive()) stop({ phase: "off" });
		else void start();
	}

	function idle() {
		update({ gateway: { phase: "unknown" } });
		probe.start();
	}

	function explain() {
		freeze();
		const { last } = answers;
		if (last?.face) void explainer.explain(last.jpeg, last.face, view.isMirrored);
	}

	function mayFilm() {
		return !hidden && (open || kept);
	}

	/** @param {CameraState["phase"][]} phases */
	function is(...phases) {
		return phases.includes(state.camera.phase);
	}

	function isActive() {
		return is("on", "starting", "frozen");
	}

	function pauseUnwatched() {
		if (isActive() && !mayFilm()) stop({ phase: "paused" });
	}

	/** Open the camera, or another one or the same once more while the stream goes on. */
	async function start(again = false) {
		sender.stop();
		view.still.hide();
		forgetResult();
		update({ camera: { phase: "starting", again } });
		try {
			if (!(await camera.open())) return;
		} catch (error) {
			if (!(error instanceof CameraProblem)) throw error;
			return stop({ phase: "failed", kind: error.kind });
		}
		probe.stop();
		stall.restart();
		cameras.opened();
		update({ camera: { phase: "on" } });
		if (readings === undefined) {
			for (const observer of observers) observer.onStart?.();
			connection.start();
			readings = setInterval(read, READING_EVERY_MS);
		} else {
			connection.reset();
		}
		if (camera.track) sender.start(camera.track);
	}

	/** @param {CameraState} why */
	function stop(why) {
		const films = readings !== undefined;
		sender.stop();
		clearInterval(readings);
		readings = undefined;
		connection.stop();
		camera.close();
		view.still.hide();
		explainer.close();
		update({ camera: why });
		forgetResult();
		if (films) for (const observer of observers) observer.onStop?.();
		if (!hidden) idle();
	}

	function freeze() {
		const { last } = answers;
		if (!last || !is("on")) return; // no button is to be pressed before there is one
		sender.pause();
		view.still.show(last.jpeg);
		update({ camera: { phase: "frozen", faces: last.result.faces.length } });
	}

	function resume() {
		view.still.hide();
		update({ camera: { phase: "on" } });
		if (interrupted) forgetResult();
		stall.restart();
		sender.resume();
	}

	function forgetResult() {
		interrupted = false;
		answers.forget();
	}

	function read() {
		const nowMs = performance.now();
		if (!is("on")) return;
		if (stall.isDue(view.video.currentTime, nowMs)) void start(true);
		if (state.gateway.phase === "ready") answers.read(connection.load, nowMs);
	}

	/** @param {Partial<LiveState>} change */
	function update(change) {
		state = { ...state, ...change };
		view.showState(state);
		for (const observer of observers) observer.onState?.(state);
	}
}
