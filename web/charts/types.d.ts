/** The types of charts. */

/** Of one face at a time; null is a gap in its lines. */
type Point = Readonly<{ atMs: number; probabilities: readonly number[] | null }>;

/** What a timeline shows; its samples are in the order of time. */
type Timeline = {
  labels: readonly string[];
  colours: readonly string[];
  samples: readonly Point[];
  fromMs: number;
  toMs: number;
};

/** A picture of 2400 x 1280 pixels, as a PNG; `element` has the theme that it gets. */
type DrawPicture = (
  words: Words,
  element: Element,
  session: SessionFacts,
  samples: readonly Point[],
  clock: (atMs: number) => string,
) => Promise<Blob>;

/** `context` counts in CSS pixels and has this size. */
type DrawTimeline = (context: CanvasRenderingContext2D, size: Size, content: Timeline) => void;

/** The last one until then; -1 for none. */
type IndexAt = (samples: readonly { atMs: number }[], atMs: number) => number;

/** Those of a user's own labels follow their place; `element` has the theme that counts. */
type ColoursOf = (labels: readonly string[], element: Element) => string[];

type WriteText = (text: string, x: number, y: number, align?: CanvasTextAlign, sizePx?: number) => void;
