/** A page of another site: the gateway needs its origin in `FER_ALLOWED_ORIGINS`. */

import { Gateway } from "./client.mjs";

const field = (id) => document.getElementById(id);
const say = (...words) => field("answers").append(`${words.join(" ")}\n`);

field("photo").addEventListener("change", async () => {
  const [photo] = field("photo").files;
  const gateway = new Gateway(field("gateway").value, field("token").value);
  try {
    say("analyze", (await gateway.analyze(photo)).faces[0].label);
    for (const result of await gateway.batch([photo, new Blob(["text"])])) say("batch", result.problem?.code ?? "ok");
    for await (const result of gateway.stream([photo])) say("stream", result.seq, result.faces[0].label);
    await gateway.analyze(new Blob(["text"]));
  } catch (problem) {
    say("problem", problem.code ?? problem);
  }
});
