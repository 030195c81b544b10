/** `@vladmandic/human` in Node: human.mjs MODULES every|cached FRAME...; a line for each number on stdin. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [modules, caching, ...paths] = process.argv.slice(2);
const require = createRequire(`${modules}/`);

// Node's own fetch knows no files.
const fetchFromNet = globalThis.fetch;
globalThis.fetch = async (address, options) => {
  const url = String(address?.url ?? address);
  if (!url.startsWith("file:")) return fetchFromNet(address, options);
  const type = url.endsWith(".json") ? "application/json" : "application/octet-stream";
  return new Response(readFileSync(new URL(url)), { headers: { "content-type": type } });
};
console.log = console.info = console.warn = () => {};

const { Human } = require(`${modules}/node_modules/@vladmandic/human/dist/human.node-wasm.js`);
const jpeg = require("jpeg-js");

const fresh = caching === "every" ? { skipFrames: 0, skipTime: 0 } : {};
const human = new Human({
  backend: "wasm",
  wasmPath: `${modules}/node_modules/@tensorflow/tfjs-backend-wasm/dist/`,
  modelBasePath: `${pathToFileURL(`${modules}/node_modules/@vladmandic/human/models`)}/`,
  debug: false,
  ...(caching === "every" && { cacheSensitivity: 0 }),
  filter: { enabled: false },
  face: {
    enabled: true,
    detector: { rotation: false, maxDetected: 10, ...fresh },
    mesh: { enabled: true, ...fresh },
    emotion: { enabled: true, ...fresh },
    iris: { enabled: false },
    description: { enabled: false },
    antispoof: { enabled: false },
    liveness: { enabled: false },
  },
  body: { enabled: false },
  hand: { enabled: false },
  object: { enabled: false },
  gesture: { enabled: false },
});
await human.load();
await human.tf.setBackend("wasm");
await human.tf.ready();

const frames = paths.map((path) => {
  const { width, height, data } = jpeg.decode(readFileSync(path), { formatAsRGBA: false, useTArray: true });
  return { width, height, data };
});
const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
say({ version: human.version });
for await (const line of createInterface({ input: process.stdin })) {
  const { width, height, data } = frames[Number(line)];
  const started = process.cpuUsage();
  const input = human.tf.tensor(data, [1, height, width, 3], "float32");
  const result = await human.detect(input);
  const { user, system } = process.cpuUsage(started);
  const ms = (user + system) / 1000;
  human.tf.dispose(input);
  const faces = result.face.map(({ box, emotion }) => ({ box, label: emotion?.[0]?.emotion ?? null }));
  say({ ms, faces, error: result.error ?? null });
}
