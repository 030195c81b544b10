/** Why a camera does not work, in words that say what to do. */

/** @typedef {"insecure" | "denied" | "missing" | "busy" | "lost" | "unknown"} CameraProblemKind */

export class CameraProblem extends Error {
  /** @param {CameraProblemKind} kind @param {ErrorOptions} [options] */
  constructor(kind, options) {
    super(kind, options);
    this.kind = kind;
  }
}

/** @type {Readonly<Record<string, CameraProblemKind>>} */
const KINDS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

/**
 * @param {unknown} error what `getUserMedia` threw
 * @returns {CameraProblem}
 */
export function cameraProblem(error) {
  const kind = error instanceof Error ? KINDS[error.name] : undefined;
  return new CameraProblem(kind ?? "unknown", { cause: error });
}

/**
 * @param {CameraProblemKind} kind
 * @param {{ port: string, protocol: string }} location where the page was loaded from
 * @returns {{ title: string, advice: string }}
 */
export function cameraAdvice(kind, { port, protocol }) {
  switch (kind) {
    case "insecure":
      return {
        title: "This address cannot use the camera",
        advice: `On the device that runs the gateway, open ${localAddress(port, protocol)}. On other devices, open the `
          + "gateway over HTTPS: browsers give the camera to no other address.",
      };
    case "denied":
      return {
        title: "The camera is not allowed",
        advice: "Allow the camera for this page in the browser's site settings (the icon beside the address), then start again.",
      };
    case "missing":
      return { title: "No camera was found", advice: "Connect a camera or switch it on, then start again." };
    case "busy":
      return {
        title: "The camera is in use",
        advice: "Another app or tab holds the camera. Close it there, then start again.",
      };
    case "lost":
      return { title: "The camera went away", advice: "It was unplugged or taken by another app. Start again when it is back." };
    case "unknown":
      return { title: "The camera did not start", advice: "Start again. If it fails once more, reload the page." };
  }
}

/**
 * The address of this gateway on the device that runs it.
 *
 * @param {string} port
 * @param {string} protocol
 */
function localAddress(port, protocol) {
  return port && protocol === "http:" ? `http://localhost:${port}` : "http://localhost";
}
