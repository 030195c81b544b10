/** Opens the steps for this device, and tells whether it trusts the gateway yet. */

import { element, tell } from "./common.js";

const { origin: gateway = "", check = "" } = document.body.dataset;
const WITHIN_MS = 10_000;
const PLATFORMS = Object.entries({
  android: /Android/,
  ios: /iPhone|iPad/,
  windows: /Windows/,
  macos: /Macintosh/,
  linux: /Linux|X11/,
});
/** @type {HTMLButtonElement} */
const button = element("check");

button.addEventListener("click", () => void look());
document.querySelector(`[data-platform="${platform()}"]`)?.setAttribute("open", "");
void look();

async function look() {
  button.disabled = true;
  tell("Checking ...");
  const isTrusted = await reach();
  if (isTrusted) tell("This device trusts the gateway.", "good");
  else tell("This device does not trust the gateway yet, or cannot reach it. Follow the steps below, then check again.", "bad");
  element("go").hidden = !isTrusted;
  button.disabled = false;
}

/** Whether a request over HTTPS arrives; a browser does not tell a page why it did not. */
async function reach() {
  try {
    await fetch(gateway + check, { mode: "no-cors", cache: "no-store", signal: AbortSignal.timeout(WITHIN_MS) });
    return true;
  } catch {
    return false;
  }
}

function platform() {
  const { userAgent, maxTouchPoints } = navigator;
  if (/Macintosh/.test(userAgent) && maxTouchPoints > 1) return "ios"; // an iPad says that it is a Mac
  return PLATFORMS.find(([, pattern]) => pattern.test(userAgent))?.[0];
}
