/** The types of the stream: what the gateway says over `fer.v1`, and what a connection tells of itself. */

/** In fractions (0..1) of the picture. */
type Box = { x: number; y: number; width: number; height: number };

/** `reasons` tell why the answer is uncertain, such as `too_dark`; `probabilities` are in the order of the labels. */
type Face = {
  id: number;
  box: Box;
  label: string;
  confidence: number;
  probabilities: number[];
  uncertain: boolean;
  reasons: string[];
};

/** The part of a model card that the page uses. */
type Card = { name: string; version: string; labels: string[] };

/** RFC 9457. */
type Problem = { title: string; status: number; detail: string; code: string };

type Ready = { type: "ready"; card: Card; window: number };
/** `faces` are sorted by size, largest first; `captured_ms` is on this page's clock, as it was sent. */
type Result = {
  type: "result";
  seq: number;
  captured_ms: number;
  width: number;
  height: number;
  faces: Face[];
  dropped: number;
  credits: number;
};
/** Another model answers from the next result on. */
type Swap = { type: "model"; card: Card };
type Grant = { type: "grant"; credits: number };
/** With a `seq`, that frame gets no result; without, the connection ends. */
type Failure = { type: "error"; problem: Problem; seq: number | null; credits: number };
type Message = Ready | Swap | Result | Grant | Failure;

/** Reads the `data` of a WebSocket message: null for a type this page does not know, which a newer gateway may send. */
type ParseMessage = (data: unknown) => Message | null;

/**
 * The value without any part that the shape does not have; throws `MalformedMessage` where it is something else. A
 * shape is a check, a list with the shape of its items, or an object of shapes.
 */
type ReadShape = (value: any, shape: any, field?: string) => any;

/**
 * One binary message: header, then the JPEG. `sequence` counts the frames of a connection and is taken modulo 2^32,
 * `capturedMs` is on this page's clock: the gateway sends it back untouched.
 */
type EncodeFrame = (sequence: number, capturedMs: number, jpeg: ArrayBuffer) => Uint8Array<ArrayBuffer>;

type Backoff = {
  /** Milliseconds to wait: uniform between 500 and a bound that starts at 1000 and doubles up to 8000. */
  nextMs(): number;
  /** The last attempt worked. */
  reset(): void;
};
/** `random` is uniform in 0..1. */
type MakeBackoff = (random?: () => number) => Backoff;

type RetryReason = "busy" | "restarting" | "unreachable" | "lost" | "malformed";

/** `waiting` tries again by itself, `refused` does not; `again` tells what ended the connection before. */
type ConnectionState =
  | { phase: "closed" | "ready" }
  | { phase: "connecting"; again: RetryReason | null }
  | { phase: "waiting"; reason: RetryReason }
  | { phase: "refused"; detail: string; code: string };

type ConnectionListener = {
  onState: (state: ConnectionState) => void;
  onReady: (ready: Ready) => void;
  /** Another model of the same classes answers from now on. */
  onModel?: (swap: Swap) => void;
  onResult: (result: Result) => void;
  /** One frame gets no result. */
  onFailure?: (failure: Failure) => void;
};

/** Of `setTimeout` and `setInterval`. */
type Timer = ReturnType<typeof setTimeout> | undefined;

type Connection = {
  /** Connect, and stay connected until `stop`. */
  start(): void;
  /** Disconnect. Nothing is reported any more. */
  stop(): void;
  /** Whether a frame captured now may be sent. */
  readonly canSend: boolean;
  /** Frames that wait for their answer, and how many more may be sent now. */
  readonly load: { underWay: number; credits: number };
  /** What comes now has nothing to do with what came: another camera. */
  reset(): void;
  /** Send a frame; without a credit it is let go, because a newer one will follow. */
  send(jpeg: ArrayBuffer, capturedMs: number): void;
};
/** The token is that of this device, where it was paired with the gateway. */
type OpenSocket = { (): WebSocket; token?: string };
type ConnectionTo = (openSocket: OpenSocket, listener: ConnectionListener, backoff?: Backoff) => Connection;

type Probe = {
  /** Ask until there is an answer. */
  start(): void;
  stop(): void;
};
/** `request` asks for the model card. */
type ProbeWith = (
  request: () => Promise<Response>,
  listener: { onCard: (card: Card) => void; onRefused: (problem: Problem) => void; onUnreachable: () => void },
  backoff?: Backoff,
) => Probe;

/** Each throws `MalformedMessage`. */
type ParseCard = (value: unknown) => Card;
type ParseFace = (value: unknown) => Face;
type ParseProblem = (value: unknown) => Problem;

type LoseConnection = (reason: RetryReason, code?: number) => void;
