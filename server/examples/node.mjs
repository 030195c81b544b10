/** client.mjs in Node: `node node.mjs GATEWAY CODE PHOTO`; before Node 22 with `--experimental-websocket`. */

import { readFile } from "node:fs/promises";
import { Gateway } from "./client.mjs";

const [url, code, path] = process.argv.slice(2);
const photo = new Blob([await readFile(path)]);
const text = new Blob(["text"]);
const gateway = new Gateway(url, code && (await Gateway.pair(url, code, "Node")));

console.log("analyze", (await gateway.analyze(photo)).faces[0].label);
for (const result of await gateway.batch([photo, text])) console.log("batch", result.problem?.code ?? "ok");
for await (const result of gateway.stream([photo, photo, photo])) console.log("stream", result.seq, result.faces[0].label);
const events = gateway.events();
console.log("events", (await events.next()).value.model.name);
await gateway.analyze(photo);
console.log("events", (await events.next()).value.source);
await gateway.analyze(text).catch((problem) => console.log("problem", problem.code));
process.exit(0);
