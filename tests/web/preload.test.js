/** The page fetches all of its modules at once, not each after the one that asks for it. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const WEB = new URL("../../web/", import.meta.url);
const WORKERS = ["service-worker.js", "camera/encoder-worker.js"];

test("every module but the entry is preloaded, and nothing else", () => {
  const names = /** @type {string[]} */ (readdirSync(WEB, { recursive: true })).filter((name) => name.endsWith(".js"));
  const html = readFileSync(new URL("index.html", WEB), "utf8");
  const preloaded = [...html.matchAll(/<link rel="modulepreload" href="\/([^"]+)">/g)].map(([, name]) => name);
  const modules = names.map((name) => name.replaceAll("\\", "/")).filter((name) => !WORKERS.includes(name) && name !== "app.js");
  assert.deepEqual([...preloaded].sort(), [...modules].sort());
});
