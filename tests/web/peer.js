/** The gateway's end of one socket, in the hands of a test. */

const CARD = { name: "hybrid", version: "0.1.0", labels: ["neutral", "happiness"] };

export class Peer {
  /** @type {unknown[]} */
  received = [];
  /** @type {number | null} */
  closedWith = null;
  onopen = () => {};
  /** @type {(event: { data: unknown }) => void} */
  onmessage = () => {};
  /** @type {(event: { code: number }) => void} */
  onclose = () => {};

  /** @param {unknown} data */
  send(data) {
    this.received.push(data);
  }

  /** @param {number} code */
  close(code) {
    this.closedWith = code;
  }

  /** @param {object} message */
  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  ready(window = 2) {
    this.onopen();
    this.say({ type: "ready", card: CARD, window });
  }

  /** @param {number} seq @param {number} credits */
  result(seq, credits) {
    this.say({ type: "result", seq, captured_ms: 1, width: 4, height: 3, faces: [], dropped: 0, credits });
  }

  /** @returns {number[]} sequences of the frames that came */
  get sequences() {
    return this.received
      .filter((data) => data instanceof Uint8Array)
      .map((data) => new DataView(data.buffer).getUint32(4, true));
  }
}
