/** The types of the live view: its state, what it tells its observers, the face that is shown. */

/** `again` when the camera gave no pictures. */
type CameraState =
  | { phase: "off" | "on" | "paused" }
  | { phase: "starting"; again: boolean }
  | { phase: "frozen"; faces: number }
  | { phase: "failed"; kind: CameraProblemKind };

type GatewayState = ConnectionState | { phase: "unknown" | "found" | "unreachable" };

type LiveState = Readonly<{ camera: CameraState; gateway: GatewayState; card: Card | null }>;

/** `latencyMs` is the median of the last two seconds, null without results; `underWay` frames wait for an answer. */
type Reading = {
  framesPerSecond: number;
  latencyMs: number | null;
  dropped: number;
  underWay: number;
  credits: number;
};

/**
 * Who else hears of the live stream: recording, figures, timeline.
 *
 * `onStop` follows the `onState` that tells why: `paused` starts again by itself. While the picture is frozen no
 * results come. `nowMs` is of the clock of `performance.now`.
 */
type LiveObserver = {
  onResult?: (result: Result, card: Card, nowMs: number) => void;
  onStart?: () => void;
  onStop?: () => void;
  onReading?: (reading: Reading) => void;
  onState?: (state: LiveState) => void;
};

/** The face whose bars and timeline are shown; nobody without faces. */
type Shown = Readonly<{
  face: Face | undefined;
  isChosen: boolean;
  points: readonly Point[];
}>;

/** An analysed frame. */
type AnalysedFrame = { jpeg: Blob; result: Result };

/** Frames on their way, and the last one that came back analysed: in memory only, a handful at most. */
type SentFrames = {
  /** The last frame with its result; null before the first. */
  analysed: AnalysedFrame | null;
  add(jpeg: ArrayBuffer, capturedMs: number): void;
  /** A result is in: frames before it will get none. */
  answered(result: Result): void;
  clear(): void;
};

type Pace = {
  readonly step: { widthPx: number; leastGapMs: number };
  /** `roundTripMs` from capture to result. */
  answered(roundTripMs: number, nowMs: number): void;
};

type Stall = {
  /** The camera was opened, for the first time or again. */
  restart(): void;
  /**
   * Whether it is time to open the camera again, to be asked every half second or so; each time without a picture in
   * between waits twice as long. `position` is the video's, in any unit: it changes with each picture.
   */
  isDue(position: number, nowMs: number): boolean;
};

/** Whether it is time to say the label of the main face. */
type MakeAnnouncer = () => (label: string, nowMs: number) => boolean;

/** What each face expressed during the last minute; points of a face grow with the next results. */
type MakeHistory = () => {
  add(faces: readonly Face[], atMs: number): void;
  of(id: number): readonly Point[];
  clear(): void;
};

type MakeFaces = () => {
  /** The same answer, with ids that stay. */
  take(answer: Result, nowMs: number): Result;
  /** Chosen once more, a face is let go. */
  choose(id: number): void;
  /** The face whose bars and timeline to show: without a choice, or while it is away, the first and largest. */
  shown(faces: readonly Face[]): Shown;
  clear(): void;
};

type MeterFrom = (startMs: number) => {
  /** A result came in. */
  add(atMs: number, latencyMs: number): void;
  read(nowMs: number): Pick<Reading, "framesPerSecond" | "latencyMs">;
};
type Quantile = (values: readonly number[], share: number) => number | null;

/** Sends frames while it is not paused; `pace` may be replaced. */
type Sender = {
  pace: Pace;
  /** The video shows this track from now on. */
  start(track: MediaStreamTrack): void;
  stop(): void;
  pause(): void;
  resume(): void;
};
type FrameSender = (
  video: HTMLVideoElement,
  encoder: FrameEncoder,
  connection: Connection,
  sent: SentFrames,
) => Sender;

/** As a PNG among the browser's downloads. */
type SavePicture = (frame: AnalysedFrame, mirrored: boolean, words: Words) => Promise<void>;

/** What the live view needs from outside; `devices` are undefined where the page's address is not secure. */
type LiveParts = {
  explainer: Explainer;
  encoder: FrameEncoder;
  wishes: CameraWishes;
  devices: MediaDevices | undefined;
  openSocket: OpenSocket;
  requestCard: () => Promise<Response>;
  savePicture: (moment: AnalysedFrame) => Promise<void>;
  observers: readonly LiveObserver[];
};

/** Keeps what the gateway answered. */
type Answers = {
  sent: SentFrames;
  /** The last analysed frame and the face of it that is shown. */
  readonly last: (AnalysedFrame & Shown) | null;
  /** A connection begins. */
  restart(nowMs: number): void;
  take(answer: Result, card: Card | null, nowMs: number): void;
  /** Show another face. */
  choose(id: number): void;
  read(load: Pick<Reading, "underWay" | "credits">, nowMs: number): void;
  /** What was seen last no longer describes what the camera sees. */
  forget(): void;
};

type Cameras = {
  /** A camera was opened. */
  opened(): void;
  choose(deviceId: string): Promise<void>;
  flip(): void;
  mirror(): void;
  /** Cameras came or went: whether the one is there that a person waits for. */
  isBack(state: CameraState): Promise<boolean>;
};

type Live = {
  /** Start or stop. */
  toggle(): void;
  /** The page went out of sight: nobody looks, so nothing films. */
  hide(): void;
  /** The page is back in sight. */
  show(): void;
  /** Another view of the page is opened: the camera stops, unless it is kept. */
  leave(): void;
  /** The live view is opened. */
  enter(): void;
  /** Whether the camera stays on while another view is open, such as for a recording. */
  keep(kept: boolean): void;
};

type KeepAnswers = (view: View, observers: readonly LiveObserver[]) => Answers;
type ChooseCameras = (view: View, camera: Camera, wishes: CameraWishes) => Cameras;
type OpenLive = (view: View, parts: LiveParts) => Live;
