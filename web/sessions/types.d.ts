/** The types of sessions: what is kept of them, and what is worked out from that. */

/** Marked by a person; from the session's start. */
type Moment = Readonly<{ atMs: number; text: string }>;

/** `startedAt` counts in milliseconds since 1970. */
type SessionFacts = Readonly<{
  name: string;
  note: string;
  startedAt: number;
  durationMs: number;
  labels: readonly string[];
  model: Readonly<{ name: string; version: string }>;
  source: "camera" | "video" | "import";
  moments: readonly Moment[];
}>;

/** Most faces at once, answers for each label, the first face id that is free. */
type Tally = Readonly<{ people: number; counts: readonly number[]; nextId: number }>;

/** `open` until its recording was stopped, `trashed` while its deletion can be undone. */
type Session = SessionFacts & Readonly<{ id: number; tally: Tally; open: boolean; trashed: boolean }>;

type SampleFace = Readonly<{
  id: number;
  label: string;
  confidence: number;
  uncertain: boolean;
  probabilities: readonly number[];
}>;

/** From the session's start. */
type Sample = Readonly<{ atMs: number; faces: readonly SampleFace[] }>;

/** Its samples are in the order of time; the session changes with what a person writes. */
type Recording = { session: Session; samples: readonly Sample[]; clips?: readonly Clip[] };

/** A film that begins at a time of its session; a session has several where the camera was changed or stopped. */
type Clip = Readonly<{ atMs: number; film: Blob }>;

/** How one face was from a time on, and for how long. */
type Step = Point & Readonly<{ forMs: number; face: SampleFace | null }>;

/**
 * One face's session in a few numbers. Every mean is over time: an answer counts for as long as it stood. Shares are
 * of the time seen: of each label in order, and of uncertain answers.
 *
 * The balance is derived, not measured: the mean of p(happiness) + p(surprise) / 2 - p(sadness) - p(anger)
 * - p(disgust) - p(fear) - p(contempt), between -1 and 1. It resembles valence, but no model was trained or tested
 * for it: it only sums up this model's probabilities, surprise for half because it may be glad or not. It is null
 * for a model with a label that is none of these.
 */
type Summary = Readonly<{
  seenMs: number;
  shares: readonly number[];
  changes: number;
  balance: number | null;
  confidence: number;
  uncertain: number;
}>;

/** `durationMs` is 0 for what is only beginning. */
type NewSession = (name: string, source: SessionFacts["source"], model: Card, durationMs?: number) => Session;

/** `firstId` is that of the faces of this connection. */
type SampleOf = (atMs: number, faces: readonly Face[], firstId?: number) => Sample;

/** The tally with more samples. */
type AddToTally = (tally: Tally, labels: readonly string[], samples: readonly Sample[]) => Tally;

/** One face through a session, with gaps. */
type TrackOf = (samples: readonly Sample[], id: number) => Step[];

type Advice = (words: Words, error: unknown) => string;

type Summarise = (labels: readonly string[], track: readonly Step[]) => Summary;

/** Every method rejects with a `StoreProblem`. */
type SessionStore = {
  /** `open` while its recording goes on. */
  create(facts: SessionFacts, open?: boolean): Promise<Session>;
  /** Later samples than those before. */
  append(id: number, added: readonly Sample[]): Promise<void>;
  update(id: number, change: Partial<Session>): Promise<Session>;
  /** Newest first. */
  list(): Promise<Session[]>;
  get(id: number): Promise<Session>;
  /** Oldest first. */
  samples(id: number): Promise<Sample[]>;
  /** Add a piece to the film that began at `atMs`. */
  film(id: number, atMs: number, piece: Blob): Promise<void>;
  /** Oldest first. */
  clips(id: number): Promise<Clip[]>;
  delete(id: number): Promise<void>;
  deleteAll(): Promise<void>;
};
/** `factory` throws where the browser gives none. */
type StoreIn = (factory: () => IDBFactory) => SessionStore;

type Recorder = {
  /** What is being recorded. */
  session: Session | null;
  readonly elapsedMs: number;
  begin(card: Card, name: string): Promise<void>;
  /** Goes on with a recording that broke off; `text` is of the moment that tells so. */
  resume(session: Session, text: string): Promise<void>;
  onResult(result: Result, card: Card): void;
  mark(): Promise<void>;
  /** Keep now what waits to be kept. */
  keep(): Promise<void>;
  /** What was recorded; null when nothing was, or it failed. */
  stop(): Promise<Session | null>;
};
/** `onFail`: it ended; what was kept stays. */
type RecorderInto = (store: SessionStore, onFail: (kind: StoreProblemKind) => void) => Recorder;

/** `onFail`: a piece could not be kept. */
type FilmInto = (store: SessionStore, recorder: Recorder, onFail: (error: unknown) => void) => {
  /** Whether the switch is on. */
  readonly isWanted: boolean;
  /** Film or not, as the switch says, while `films`, that is while the camera films; show the switch where `offered`. */
  show(films: boolean, offered: boolean): void;
};

/** Shows films along with a timeline. */
type PlayerIn = (video: HTMLVideoElement) => {
  open(clips: readonly Clip[]): void;
  show(atMs: number, plays: boolean): void;
};

/** `keepCamera` in other views, too. */
type RecordControl = (
  words: Words,
  store: SessionStore,
  keepCamera: (kept: boolean) => void,
) => LiveObserver & {
  /** Go on with a recording that broke off. */
  continue(session: Session): void;
};

/** `model`: the gateway has another one now. */
type StoreProblemKind = "refused" | "full" | "blocked" | "gone" | "broken" | "model";

type ImportProblemKind = "no_json" | "newer" | "wrong";

/** Sees to both stores and waits for their requests only. */
type RunInStore = <T>(work: StoreWork<T>, mode?: IDBTransactionMode) => Promise<T>;
type StoreWork<T> = (sessions: IDBObjectStore, samples: IDBObjectStore, film: IDBObjectStore) => Promise<T>;

/** A session as a file holds it. */
type Recorded = { session: SessionFacts; samples: Sample[] };

type Strip = {
  readonly root: HTMLElement;
  readonly recording: Recording;
  readonly track: Step[];
  readonly summary: Summary;
  show(atMs: number): void;
  draw(): void;
};
/** On a scale of `lengthMs`; `onFace` when another face is chosen. */
type MakeStrip = (
  words: Words,
  recording: Recording,
  lengthMs: number,
  onSeek: (atMs: number) => void,
  onFace: () => void,
) => Strip;

type Replay = {
  /** The session that is open, or the first of two. */
  readonly first: Recording | undefined;
  /** Of the face that is chosen in the first session. */
  readonly track: Step[];
  open(recordings: readonly Recording[]): void;
  close(): void;
};
/** `onChange` of the first session. */
type MakeReplay = (root: HTMLElement, words: Words, onChange: (change: Partial<Session>) => void) => Replay;

type SessionsView = {
  /** `rest` of the address: nothing, `12`, or `12+15`. */
  open(rest: string): Promise<void>;
  /** Another view is opened: what was deleted is gone for good. */
  close(): Promise<void>;
};
/** `onContinue`: the recording of this session broke off and is to go on. */
type OpenSessions = (words: Words, store: SessionStore, onContinue: (session: Session) => void) => SessionsView;

/** Makes the content of a file. */
type WriteSession = (session: Session, samples: readonly Sample[]) => BlobPart | Promise<BlobPart>;

/** Nothing else of what is given. */
type FactsOf = (facts: SessionFacts) => SessionFacts;


/** What was seen most; null before any face was. */
type MainLabel = (session: Pick<Session, "labels" | "tally">) => string | null;

/** The face that was seen longest first. */
type FaceIds = (samples: readonly Sample[]) => number[];

/** One row for each face of each sample (RFC 4180). */
type ToCsv = (session: SessionFacts, samples: readonly Sample[]) => string;

type CsvOf = (rows: readonly (readonly unknown[])[]) => string;

/** What `toJson` wrote, and nothing else; throws an `ImportProblem`. */
type ParseSession = (file: string) => Recorded;

/** Whether the recording of a session broke off: it is open, but no tab records it. */
type FindInterrupted = () => Promise<(session: Session) => boolean>;

/** `last` is the sequence that was answered last. */
type RunRecording = (session: Session, atMs: number, last: number) => void;

/** Makes a row of the summary: a cell for each session. */
type MakeRow = (name: string, valueOf: (column: Summary & Session) => string) => HTMLTableRowElement;

type SaveSession = (ending: string, type: string, write: WriteSession) => Promise<void>;
