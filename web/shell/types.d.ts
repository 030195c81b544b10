/** The types of the page around its views. */

type Preferences = {
  /** Null when nothing was chosen. */
  get(name: string): string | null;
  /** Null forgets it. */
  set(name: string, value: string | null): void;
  /** Forget them all; tells how many there were. */
  clear(): number;
};
/** `read` throws where the browser gives no storage. */
type PreferencesIn = (read: () => Storage) => Preferences;

/** Registers the service worker. A new version waits: `activate` switches to it and reloads. */
type WatchUpdates = (
  container: ServiceWorkerContainer,
  onUpdate: (activate: () => void) => void,
) => Promise<void>;

/** `rest` is what follows the view's name, such as `12`. */
type Place = Readonly<{ view: string; rest: string }>;

/** `onOpen` is told at the start and after each change. */
type ShowViews = (onOpen: (place: Place) => void) => void;

/** `hash` is such as `#sessions/12`; the first name is for addresses that name none. */
type PlaceOf = (hash: string, names: readonly string[]) => Place;

type KioskOf = (startCamera: () => void) => { enter(): void };


type Download = (content: BlobPart, name: string, type: string) => void;

/** Settled once the notice in this version is accepted. */
type AskConsent = (preferences: Preferences) => Promise<void>;

type OfferErasing = (words: Words, store: SessionStore, preferences: Preferences) => void;

type Post = (path: string, body: Blob, signal: AbortSignal) => Promise<Response>;
