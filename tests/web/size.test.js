/** How much JavaScript a phone has to load: all of it, uncompressed, comments included. */

import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { test } from "node:test";

const MOST_KIB = 150;

test(`all JavaScript, workers and comments included, has at most ${MOST_KIB} KiB`, () => {
  const web = new URL("../../web/", import.meta.url);
  const names = /** @type {string[]} */ (readdirSync(web, { recursive: true })).filter((name) => /\.m?js$/.test(name));
  const sizes = names.map((name) => statSync(new URL(name, web)).size);
  for (const name of ["app.js", "service-worker.js", "camera/encoder-worker.js"]) assert.ok(names.includes(name));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total <= 1024 * MOST_KIB, `${total} bytes in ${names.length} files`);
});
