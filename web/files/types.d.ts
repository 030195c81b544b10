/** The types of files. */

/** Asks the gateway about a picture. */
type AskPhoto = (picture: Blob) => Promise<Response>;

/** Faces largest first. */
type PhotoAnswer = { faces: Face[]; labels: string[] };

/** `address` shows its picture, once it was read. */
type Photo = PhotoAnswer & {
  name: string;
  file: File;
  phase: "waiting" | "working" | "busy" | "away" | "done" | "failed";
  problem: Error | null;
  blob: Blob | null;
  address: string;
  ratio: number;
};

type Photos = {
  /** In the order in which they were picked. */
  all: Photo[];
  add(file: File): void;
  retry(photo: Photo): void;
  /** Forget every photo. */
  clear(): void;
};
type PhotosWith = (ask: AskPhoto, onChange: (photo: Photo) => void) => Photos;

/** `forMs` is 0 where the gateway does not say; rejects with a `Refusal`. */
type AnalysePhoto = (
  ask: AskPhoto,
  picture: Blob,
) => Promise<PhotoAnswer | { wait: "busy" | "away"; forMs: number }>;

/** The longer side is at most so long; `onto` may be a canvas that is used again. */
type ToJpeg = (
  source: CanvasImageSource,
  width: number,
  height: number,
  longestPx: number,
  onto?: HTMLCanvasElement,
) => Promise<Blob>;

/** A span has room for little. */
type BoxesOf = (words: Words, faces: readonly Face[], tag?: "span" | "div" | "button") => HTMLElement[];

type FrameOfVideo = { atMs: number; jpeg: ArrayBuffer };
type VideoFrameOnItsWay = FrameOfVideo & {
  sent: boolean;
  resolve: (result: Result) => void;
  reject: (reason: unknown) => void;
};

/** Rejects with a `Refusal`, or with the reason of `signal`. */
type StreamFrames = (
  openSocket: OpenSocket,
  frames: AsyncIterable<FrameOfVideo>,
  signal: AbortSignal,
  listener: Pick<ConnectionListener, "onReady" | "onState" | "onResult">,
) => Promise<void>;

/** Of an open video; a frame that it shows for longer comes once. */
type FramesOf = (video: HTMLVideoElement, perSecond: number) => AsyncGenerator<FrameOfVideo, void>;

/** `perSecond` frames are taken; `queue` runs one video after another. */
type ForVideos = {
  openSocket: OpenSocket;
  store: SessionStore;
  perSecond: () => number;
  queue: (run: () => Promise<void>) => void;
};
type AnalyseVideo = (words: Words, file: File, card: HTMLElement, outside: ForVideos) => { stop: () => void };

type OpenFiles = (
  words: Words,
  outside: { analyse: AskPhoto } & Pick<ForVideos, "openSocket" | "store">,
) => { takeShared: () => Promise<void> };

type FillTile = (words: Words, tile: HTMLElement, photo: Photo) => void;

/** What opens the dialog. */
type Enlarger = (words: Words) => (photo: Photo) => void;

type FramePhoto = (framed: HTMLElement, photo: Photo, boxes: readonly HTMLElement[]) => void;

type SayPhoto = (words: Words, photo: Photo) => string;

type SayFound = (words: Words, face: Face, certainty?: string) => string;

/** Rejects with a `DOMException` where the browser cannot play it. */
type OpenVideo = (video: HTMLVideoElement, address: string) => Promise<void>;

/** Gives the begin of the frame there. */
type GoTo = (video: HTMLVideoElement, timeS: number) => Promise<number>;

/** `act` is what leads to the event. */
type AfterEvent = (video: HTMLVideoElement, event: string, act: () => void) => Promise<unknown>;

/** Upright, in memory; rejects with a `DOMException` where the browser cannot read it. */
type ReadPicture = (file: File) => Promise<{ blob: Blob; ratio: number }>;

type PhotosToCsv = (photos: readonly Photo[]) => string;

type TableOf = (words: Words, photos: readonly Photo[]) => HTMLTableRowElement[];

/** The head first; `uncertain` holds the reasons. */
type RowsOf = (photos: readonly Photo[]) => (string | number)[][];
