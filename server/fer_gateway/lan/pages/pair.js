/** Exchanges a pairing code for a token, and keeps the token in this browser. */

import { element, tell, TOKEN } from "./common.js";

const DEVICES = Object.entries({
  iPhone: /iPhone/,
  iPad: /iPad/,
  Android: /Android/,
  Windows: /Windows/,
  Mac: /Macintosh/,
  Linux: /Linux|X11/,
});

/** @type {HTMLFormElement} */
const form = element("form");
/** @type {HTMLInputElement} */
const code = element("code");
/** @type {HTMLInputElement} */
const deviceName = element("name");
/** @type {HTMLButtonElement} */
const button = element("pair");

deviceName.value = DEVICES.find(([, pattern]) => pattern.test(navigator.userAgent))?.[0] ?? "Browser";
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void pair();
});
window.addEventListener("hashchange", takeCode);
takeCode();

/** A code in the fragment, which browsers send nowhere, is used at once and leaves the address bar. */
function takeCode() {
  const given = location.hash.slice(1);
  if (!given) return;
  history.replaceState(null, "", location.pathname);
  code.value = given;
  void pair();
}

async function pair() {
  button.disabled = true;
  tell("Pairing ...");
  try {
    const body = JSON.stringify({ code: code.value, name: deviceName.value.trim() || "Browser" });
    const headers = { "Content-Type": "application/json" };
    const response = await fetch("/api/v1/pair", { method: "POST", headers, body, cache: "no-store" });
    const answer = await response.json();
    if (!response.ok) return tell(answer.detail, "bad");
    localStorage.setItem(TOKEN, answer.token);
    tell(`Paired as ${answer.device.name}, for: ${answer.device.scopes.join(", ")}.`, "good");
    element("intro").hidden = form.hidden = true;
    element("go").hidden = false;
    element("go").focus();
  } catch {
    tell("The gateway cannot be reached, or this browser keeps nothing. Try again.", "bad");
  } finally {
    button.disabled = false;
  }
}
