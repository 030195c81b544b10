/** Streams as the page opens them: page_streams.mjs URL PHOTO TOKEN COUNT; a line for each result, until stdin ends. */

import { readFileSync } from "node:fs";

import { connectionTo } from "../../web/stream/connection.js";
import { SUBPROTOCOL } from "../../web/stream/messages.js";

const FRAME_MS = 50;

const [url, path, token, count] = process.argv.slice(2);
const photo = readFileSync(path);
for (let number = 0; number < Number(count); number += 1) {
  const connection = connectionTo(
    Object.assign(() => new WebSocket(`${url}/api/v1/stream`, SUBPROTOCOL), { token }),
    { onState() {}, onReady() {}, onResult: () => console.log(number) },
  );
  connection.start();
  setInterval(() => connection.send(photo, performance.now()), FRAME_MS);
}
process.stdin.resume().on("end", () => process.exit());
