/** The page's English words, as the tests expect them. */

import { readFile } from "node:fs/promises";

import { wordsIn } from "../../web/language/load.js";

/** @returns {Promise<Words>} */
export async function english() {
  const file = new URL("../../web/language/en.json", import.meta.url);
  return wordsIn("en", JSON.parse(await readFile(file, "utf8")));
}
