/** The API from JavaScript, in browsers and in Node 22 or newer. */

const SUBPROTOCOL = "fer.v1";

/** @param {Response} response */
async function answer(response) {
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(`${body.code}: ${body.detail}`), body); // a problem has a stable `code`
  return body;
}

export class Gateway {
  #url;
  #token;

  /** @param {string} url @param {string} token empty on the gateway's own machine */
  constructor(url, token) {
    this.#url = url;
    this.#token = token;
  }

  /** Exchange a pairing code for a token, once. @param {string} url @param {string} code @param {string} name */
  static async pair(url, code, name) {
    const body = JSON.stringify({ code, name });
    const headers = { "Content-Type": "application/json" };
    return (await answer(await fetch(`${url}/api/v1/pair`, { method: "POST", headers, body }))).token;
  }

  /** The faces in a JPEG, PNG or WebP file. @param {Blob} photo */
  async analyze(photo) {
    return answer(await this.#fetch("analyze", { method: "POST", body: photo }));
  }

  /** The analysis or problem of each file. @param {Blob[]} photos */
  async batch(photos) {
    const form = new FormData();
    for (const photo of photos) form.append("file", photo, "photo");
    return (await answer(await this.#fetch("analyze/batch", { method: "POST", body: form }))).results;
  }

  /** Every result of the gateway as it comes. `EventSource` cannot send a token, `fetch` can. */
  async *events() {
    const response = await this.#fetch("events");
    if (!response.ok) await answer(response);
    const text = response.body.pipeThrough(new TextDecoderStream());
    let rest = "";
    for (const reader = text.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = `${rest}${value}`.split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block);
        if (data) yield JSON.parse(data[1]);
      }
    }
  }

  /**
   * Send pictures one by one through a stream and give the answer to each. A camera sends its newest frame
   * whenever it has a credit, and skips the others: without a credit a frame gets no answer.
   * @param {Blob[]} photos
   */
  async *stream(photos) {
    const socket = new WebSocket(`${this.#url.replace(/^http/, "ws")}/api/v1/stream`, SUBPROTOCOL);
    const messages = received(socket);
    let credits = 0;
    /** The next message of a type; those of types that it does not know, a client leaves alone. */
    const next = async (type) => {
      for (;;) {
        const message = await messages();
        credits += message.window ?? message.credits ?? 0; // any message may bring some
        if (message.type === type) return message;
        if (message.type === "error" || message.type === "closed") {
          throw Object.assign(new Error(message.problem.detail), message.problem);
        }
      }
    };
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", token: this.#token || null, options: {} }));
    try {
      await next("ready");
      for (const [sequence, photo] of photos.entries()) {
        while (credits === 0) await next("grant"); // a crowded gateway, or one with a cap, grants it later
        credits -= 1;
        socket.send(await frame(sequence, performance.now(), photo));
        yield await next("result");
      }
    } finally {
      socket.close();
    }
  }

  /** @param {string} path @param {RequestInit} [options] */
  #fetch(path, options) {
    const headers = this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
    return fetch(`${this.#url}/api/v1/${path}`, { ...options, headers });
  }
}

/** 16 bytes before each picture: `FE`, version, flags, sequence (u32), captured_ms (f64); little-endian. */
async function frame(sequence, capturedMs, photo) {
  const bytes = new Uint8Array(16 + photo.size);
  const header = new DataView(bytes.buffer);
  bytes.set([0x46, 0x45, 1, 0]);
  header.setUint32(4, sequence, true);
  header.setFloat64(8, capturedMs, true);
  bytes.set(new Uint8Array(await photo.arrayBuffer()), 16);
  return bytes;
}

/** Messages in their order, for whoever waits for one. @param {WebSocket} socket */
function received(socket) {
  const waiting = [];
  const come = [];
  const put = (message) => (waiting.length ? waiting.shift()(message) : come.push(message));
  socket.onmessage = ({ data }) => put(JSON.parse(data));
  socket.onclose = ({ code, reason }) => put({ type: "closed", problem: { code, detail: reason } });
  return () => (come.length ? Promise.resolve(come.shift()) : new Promise((resolve) => waiting.push(resolve)));
}
