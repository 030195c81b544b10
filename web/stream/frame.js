/** What the page sends over `fer.v1`: the hello, and frames with their 16-byte header. */

/** WebSocket subprotocol that both sides name. */
export const SUBPROTOCOL = "fer.v1";

/** First message of every connection. */
export const HELLO = JSON.stringify({ type: "hello", options: {} });

const HEADER_BYTES = 16;
const VERSION = 1;

/**
 * One binary message: header, then the JPEG.
 *
 * @param {number} sequence counts the frames of a connection, taken modulo 2^32
 * @param {number} capturedMs capture time on this page's clock; the gateway sends it back untouched
 * @param {ArrayBuffer} jpeg
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function encodeFrame(sequence, capturedMs, jpeg) {
  const message = new Uint8Array(HEADER_BYTES + jpeg.byteLength);
  const header = new DataView(message.buffer);
  header.setUint8(0, 0x46); // F
  header.setUint8(1, 0x45); // E
  header.setUint8(2, VERSION);
  header.setUint8(3, 0); // flags, none defined
  header.setUint32(4, sequence, true);
  header.setFloat64(8, capturedMs, true);
  message.set(new Uint8Array(jpeg), HEADER_BYTES);
  return message;
}

/**
 * Address of the stream on the gateway that served the page.
 *
 * @param {string} pageAddress
 * @returns {string}
 */
export function streamAddress(pageAddress) {
  const address = new URL("/api/v1/stream", pageAddress);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}
