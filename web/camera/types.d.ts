/** The types of the camera. */

/** Towards the person, or away. */
type Facing = "user" | "environment";

/** A camera; its name and its id are empty before cameras were allowed. */
type Device = Readonly<{ deviceId: string; label: string }>;

type CameraProblemKind = "insecure" | "denied" | "missing" | "busy" | "lost" | "unknown";

/**
 * Without a `jpeg` where this one frame could not be encoded; null where none that is read can be. `atMs` counts from
 * 1970, since workers count apart; missing where the frame is the one that the video shows.
 */
type Encoded = { jpeg?: ArrayBuffer | null; atMs?: number };

/** Not yet among TypeScript's own: in browsers that let a worker read a track. */
type TrackProcessor = new (init: { track: MediaStreamTrack; maxBufferSize: number }) => { readable: Transferable };

type Camera = {
  /** Of the open camera; null while it is closed. */
  readonly track: MediaStreamTrack | null;
  readonly device: Device;
  /** Null where the browser does not tell, as of cameras that stand on a desk. */
  readonly facing: Facing | null;
  list(): Promise<Device[]>;
  /** Open the camera that is wished for and play it: false when it was closed before it opened. May throw a problem. */
  open(): Promise<boolean>;
  /** Stop every track, so that the camera's light goes out. */
  close(): void;
};

/** `devices` are undefined where the page's address is not secure. */
type CameraInto = (
  video: HTMLVideoElement,
  devices: MediaDevices | undefined,
  wishes: CameraWishes,
  listener: {
    /** The camera ended by itself. */
    onLost: () => void;
    /** Cameras came or went. */
    onDevices: () => void;
  },
) => Camera;

type CameraWishes = {
  readonly constraints: MediaTrackConstraints;
  choose(device: Device): void;
  face(facing: Facing): void;
  /** The chosen camera, if one was chosen and is there. */
  among(cameras: readonly Device[]): Device | undefined;
  /** People who have not chosen see themselves as in a mirror. */
  mirrors(facing: Facing): boolean;
  setMirrored(facing: Facing, mirrored: boolean): void;
};
type CameraWishesIn = (preferences: Pick<Preferences, "get" | "set">) => CameraWishes;

type CameraAdvice = (words: Words, kind: CameraProblemKind, address: PageAddress) => { title: string; advice: string };

/** Calls back for each new frame, with its capture time on the clock of `performance.now`, until it is stopped. */
type WatchFrames = (video: HTMLVideoElement, onFrame: (capturedMs: number) => void) => () => void;

type FrameEncoder = {
  /** The video shows this track from now on. */
  open(track: MediaStreamTrack): void;
  close(): void;
  /**
   * At most so wide; `shownMs` is when what the video shows was captured. Null while there is no picture.
   */
  encode(
    video: HTMLVideoElement,
    widthPx: number,
    shownMs: number,
  ): Promise<{ jpeg: ArrayBuffer; capturedMs: number } | null>;
};
/** `openWorker` may throw. */
type FrameEncoderWith = (openWorker: () => Worker) => FrameEncoder;

/** Maybe by its name, where its id has changed. */
type FindCamera = (cameras: readonly Device[], wanted: Device) => Device | undefined;

/** At most so wide, never enlarged. */
type SizeToSend = (width: number, height: number, widest: number) => Size;

type EncodeFrameOf<By> = (by: By, video: HTMLVideoElement, size: Size) => Promise<Encoded | null>;
