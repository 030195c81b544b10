/** What the page says about its state: the notice on the stage and the line in the header. */

import { cameraAdvice } from "../camera/problems.js";

/** @typedef {import("../live/live.js").LiveState} LiveState */
/** @typedef {import("../stream/connection.js").RetryReason} RetryReason */
/** @typedef {{ tone: "quiet" | "problem", title: string, advice: string }} Notice */

/**
 * The most important thing to say, or null when the picture speaks for itself.
 *
 * @param {LiveState} state
 * @param {{ port: string, protocol: string }} location
 * @returns {Notice | null}
 */
export function noticeFor({ camera, gateway }, location) {
  if (camera.phase === "failed") return { tone: "problem", ...cameraAdvice(camera.kind, location) };
  switch (gateway.phase) {
    case "unreachable":
      return { tone: "problem", ...RETRIES.unreachable };
    case "waiting":
      return { tone: "problem", ...RETRIES[gateway.reason] };
    case "refused":
      return {
        tone: "problem",
        title: "The gateway refused the stream",
        advice: `${gateway.detail} Stop the camera and start it again, or reload the page.`.trim(),
      };
  }
  switch (camera.phase) {
    case "starting":
      return { tone: "quiet", title: "Starting the camera", advice: "Allow the camera if the browser asks." };
    case "on":
      return null;
    case "frozen":
      return {
        tone: "quiet",
        title: "Paused",
        advice: camera.faces > 0
          ? "Choose a face to see what counts."
          : "There is no face in this picture. Resume and pause again.",
      };
    default:
      return {
        tone: "quiet",
        title: "See what a face expresses",
        advice: "Start the camera. Your gateway reads the expression of each face, live.",
      };
  }
}

/**
 * @param {LiveState} state
 * @returns {{ tone: "good" | "wait" | "problem", words: string }}
 */
export function gatewayLine({ gateway }) {
  switch (gateway.phase) {
    case "closed":
    case "unknown":
      return { tone: "wait", words: "Looking for the gateway" };
    case "found":
      return { tone: "good", words: "Gateway ready" };
    case "connecting":
      return { tone: "wait", words: "Connecting" };
    case "ready":
      return { tone: "good", words: "Connected" };
    case "waiting":
      return { tone: "problem", words: gateway.reason === "busy" ? "Gateway busy" : "Reconnecting" };
    case "unreachable":
      return { tone: "problem", words: "Gateway unreachable" };
    case "refused":
      return { tone: "problem", words: "Refused" };
  }
}

const TRYING = "This page keeps trying by itself.";

/** @type {Readonly<Record<RetryReason, { title: string, advice: string }>>} */
const RETRIES = {
  unreachable: {
    title: "The gateway can't be reached",
    advice: `Check that it runs (fer-gateway serve) and that this device is on its network. ${TRYING}`,
  },
  lost: { title: "The connection broke", advice: TRYING },
  restarting: { title: "The gateway restarts", advice: TRYING },
  busy: { title: "The gateway is busy", advice: `All its places for live video are taken. ${TRYING}` },
  malformed: {
    title: "The gateway's answer made no sense",
    advice: `Page and gateway may be of different versions: reload the page. ${TRYING}`,
  },
};
