/** The types of the page's view. */

/** What a selector finds, by the tag that it names: `dialog#erase` is a dialog, `.stage` any element. */
type Found<Selector extends string> =
  Selector extends `${string} ${infer Last}` ? Found<Last>
  : Selector extends `${infer Tag}#${string}` ? Tagged<Tag>
  : Selector extends `${infer Tag}.${string}` ? Tagged<Tag>
  : Selector extends `${infer Tag}[${string}` ? Tagged<Tag>
  : Tagged<Selector>;
type Tagged<Tag> = Tag extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Tag] : HTMLElement;

/** The one element that the page must have, in the document or inside `root`. */
type Find = <Selector extends string>(selector: Selector, root?: ParentNode) => Found<Selector>;

/** Writes a text, if it is another: screen readers may say it. */
type Put = (selector: string, text: string, root?: ParentNode) => void;

type MakeElement = <Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  text?: string,
  ...children: Node[]
) => HTMLElementTagNameMap[Name];

type Size = { width: number; height: number };

/** Gives a canvas the pixels of the screen; its context counts in CSS pixels, as `size` does. */
type Sharpen = (canvas: HTMLCanvasElement) => { context: CanvasRenderingContext2D; size: Size };

/** Of whole pixels and at least one. */
type CanvasOf = (width: number, height: number, canvas?: HTMLCanvasElement) => CanvasRenderingContext2D;

/** What was drawn, encoded; rejects with a `DOMException` where the browser cannot. */
type FileOf = (context: CanvasRenderingContext2D, type: string, quality?: number) => Promise<Blob>;

/** In CSS pixels of the stage. */
type Rectangle = { left: number; top: number; width: number; height: number };

/** How a picture fills its element, as CSS `object-fit`. */
type Fit = "cover" | "contain" | "fill";

/** The rectangle that a centred picture takes on a stage. With `cover` it reaches over the edges. */
type FitPicture = (picture: Size, stage: Size, fit: Fit) => Rectangle;
type PlaceBox = (box: Box, picture: Rectangle, mirrored: boolean) => Rectangle;
type CompareBoxes = (one: Box, other: Box) => number;

type SayTime = (durationMs: number) => string;
type SayNumber = (words: Words, value: number) => string;
type SayFace = (words: Words, face: Pick<Face, "label" | "uncertain">) => string;
/** At most so many reasons. */
type SayReasons = (words: Words, face: Pick<Face, "confidence" | "uncertain" | "reasons">, most?: number) => string;
type SayShort = (words: Words, face: Face) => string;

type Notice = { tone: "quiet" | "problem"; title: string; advice: string };

/** Where the page was loaded from. */
type PageAddress = { port: string; protocol: string };

/** The most important thing to say; null when the picture speaks for itself. */
type NoticeFor = (words: Words, state: LiveState, address: PageAddress) => Notice | null;

/** `key` is that of a text. */
type GatewayLine = (state: LiveState) => { tone: "good" | "wait" | "problem"; key: string };

/** What a person does in the live view: `onFace` and `onCamera` choose one, all others name a button. */
type ViewHandlers = {
  onFace: (id: number) => void;
  onCamera: (deviceId: string) => void;
  camera: () => void;
  pause: () => void;
  why: () => void;
  flip: () => void;
  mirror: () => void;
  picture: () => void;
};

type Still = {
  /** A JPEG. */
  show(frame: Blob): void;
  hide(): void;
};
/** The image lies exactly over the video. */
type StillIn = (image: HTMLImageElement) => Still;

type View = {
  readonly video: HTMLVideoElement;
  readonly still: Still;
  readonly isMirrored: boolean;
  listen(handlers: ViewHandlers): void;
  showState(state: LiveState): void;
  showResult(result: Result, shown: Shown): void;
  showReading(reading: Reading): void;
  /** Forget the last result: it no longer describes what the camera sees. */
  clear(): void;
  /** Whether people see themselves as in a mirror. */
  showMirrored(mirrored: boolean): void;
  /** `turns`: the one that is used has a counterpart on the other side. */
  showCameras(cameras: readonly Device[], used: string, turns: boolean): void;
  /** For screen readers. */
  announce(face: Face | undefined): void;
};
type ViewOf = (words: Words) => View;

type Overlay = {
  /** A face is pointed at. */
  onFace: (id: number) => void;
  /** `picture` was analysed; `shown` is the id of the face whose bars are shown. */
  render(faces: readonly Face[], picture: Size, shown: number | undefined): void;
  clear(): void;
};
type OverlayOf = (video: HTMLVideoElement, words: Words) => Overlay;

type Bars = {
  /** Of the model, in its order. */
  setLabels(labels: readonly string[]): void;
  /** In the order of the labels; undefined for nobody. */
  show(probabilities: readonly number[] | undefined): void;
};
type BarsIn = (root: HTMLElement, words: Words) => Bars;

type Trace = {
  setLabels(labels: readonly string[]): void;
  show(samples: readonly Point[]): void;
  /** Whether the minute goes on. */
  run(runs: boolean): void;
};
type TraceOn = (canvas: HTMLCanvasElement) => Trace;

type Panel = {
  run: Trace["run"];
  setLabels(labels: readonly string[]): void;
  /** Null while there is no result. */
  show(shown: Shown | null): void;
  /** Null when idle. */
  showReading(reading: Reading | null): void;
};
type PanelOf = (words: Words) => Panel;

/** Gives an element the colour of a face. */
type Paint = (element: HTMLElement, id: number) => void;
