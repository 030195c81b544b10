/** What the pages for other devices share. */

/** Where the token of this browser is kept; the app reads it there. */
export const TOKEN = "fer.token";

/** @template {HTMLElement} [Kind=HTMLElement] @param {string} id @returns {Kind} */
export function element(id) {
  return /** @type {Kind} */ (document.getElementById(id));
}

/** Say what happens. @param {string} text @param {"" | "good" | "bad"} [kind] */
export function tell(text, kind = "") {
  const state = element("state");
  state.className = kind;
  state.textContent = text;
}
