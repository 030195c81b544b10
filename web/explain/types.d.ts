/** The types of explanations. */

/**
 * What an answer rests on: `grid` holds, for rows and columns of the face, by how much the probability falls where
 * that part is blurred; the pictures are PNGs in `data:` URLs.
 */
type Explanation = { label: string; probability: number; grid: number[][]; crop: string; heatMap: string };

/** Asks the gateway what the answer `label` rests on. */
type AskWhy = (jpeg: Blob, label: string, signal: AbortSignal) => Promise<Response>;

/** `label` is what the face is said to express; rejects with an `ExplanationProblem`. */
type RequestExplanation = (
  ask: AskWhy,
  jpeg: Blob,
  label: string,
  signal: AbortSignal,
  words: Words,
) => Promise<Explanation>;

/** In whole pixels of a frame. */
type Region = { left: number; top: number; width: number; height: number };

/** `frame` is in pixels; the region has at least one, inside the frame. */
type RegionAround = (box: Box, frame: Size) => Region;

/** `mirrored` as it is shown. */
type InWords = (words: Words, explanation: Explanation, mirrored: boolean) => string;

/** Explains one face at a time: `frame` is a JPEG, `mirrored` tells whether it is shown as in a mirror. */
type Explainer = {
  explain: (frame: Blob, face: Face, mirrored: boolean) => Promise<void>;
  close: () => void;
};
type ExplainerWith = (words: Words, ask: AskWhy) => Explainer;

/** Throws `MalformedMessage`. */
type ParseExplanation = (value: unknown) => Explanation;

/** Where the probability falls most. */
type Strongest = (grid: readonly (readonly number[])[]) => { fall: number; row: number; column: number };

/** By how much a part is enlarged before it is sent; never shrunk. */
type Enlargement = (region: Size) => number;

/** Cuts a face out of a JPEG; rejects with a `DOMException` where the browser cannot. */
type CutFace = (frame: Blob, box: Box) => Promise<Blob>;

/** Start and length with room on both sides, between 0 and `most`. */
type Span = (start: number, length: number, room: number, most: number) => readonly [number, number];
