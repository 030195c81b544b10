/** Lists paired devices, revokes them, and makes codes for new ones; with the token of this browser. */

import { element, tell, TOKEN } from "./common.js";

/** @typedef {{ id: string, name: string, scopes: string[], expires: string, expired: boolean }} Device */

const DEVICES = "/api/v1/devices";
/** @type {HTMLTemplateElement} */
const template = element("row");
/** @type {HTMLFormElement} */
const form = element("form");
/** @type {HTMLImageElement} */
const picture = element("qr");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void makeCode();
});
void list();

async function list() {
  const answer = await ask("GET", "");
  if (!answer) return;
  element("rows").replaceChildren(...answer.devices.map(row));
  element("admin").hidden = false;
  tell(answer.devices.length ? "" : "No device is paired.");
}

/** @param {Device} device */
function row(device) {
  const made = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const until = new Date(device.expires).toLocaleDateString();
  put(made, ".name", device.name);
  put(made, ".scopes", `${device.scopes.join(", ")} · ${device.id}`);
  put(made, ".expires", device.expired ? `${until} (over)` : until);
  const button = put(made, "button", "Revoke");
  button?.setAttribute("aria-label", `Revoke ${device.name}`);
  button?.addEventListener("click", () => void revoke(device));
  return made;
}

/** @param {DocumentFragment} made @param {string} selector @param {string} text */
function put(made, selector, text) {
  const part = made.querySelector(selector);
  if (part) part.textContent = text;
  return part;
}

/** @param {Device} device */
async function revoke(device) {
  if (!confirm(`Revoke ${device.name}? It has to be paired again.`)) return;
  if (await ask("DELETE", `/${device.id}`)) await list();
}

async function makeCode() {
  const scopes = new FormData(form).getAll("scope");
  if (!scopes.length) return tell("Choose what the device may do.", "bad");
  const answer = await ask("POST", "/codes", { scopes });
  if (!answer) return;
  picture.hidden = !answer.qr;
  if (answer.qr) picture.src = answer.qr;
  element("url").textContent = answer.url.split("#")[0];
  element("plain").textContent = answer.code;
  element("until").textContent = new Date(answer.expires).toLocaleTimeString();
  element("code").hidden = false;
  tell("");
}

/** What the gateway answers; nothing where it refuses, which is shown. @param {string} method @param {string} path @param {unknown} [body] */
async function ask(method, path, body) {
  try {
    const headers = { Authorization: `Bearer ${localStorage.getItem(TOKEN) ?? ""}`, "Content-Type": "application/json" };
    /** @type {RequestInit} */
    const options = { method, headers, cache: "no-store" };
    if (body) options.body = JSON.stringify(body);
    const response = await fetch(DEVICES + path, options);
    if (response.status === 204) return {};
    const answer = await response.json();
    if (response.ok) return answer;
    element("help").hidden = ![401, 403].includes(response.status);
    return tell(answer.detail, "bad");
  } catch {
    return tell("The gateway cannot be reached.", "bad");
  }
}
