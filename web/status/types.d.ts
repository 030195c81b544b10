/** The types of the connection's panel. */

type Interval = { value: number; low: number; high: number };

/** A card as `/api/v1/model` gives it. */
type CardDetails = {
  parameters: number;
  face: { size_px: number };
  doubt: { uncertain_below: number; coverage: number; error: number } | null;
  evaluations: {
    data: string;
    faces: number;
    accuracy: Interval;
    macro_f1: Interval;
    recall: Record<string, number>;
  }[];
  provenance: { data: string[]; created: string; licence: string; notes: string };
};

/** Rows of two tables; throws `MalformedMessage` for what is no card. */
type DescribeCard = (words: Words, card: unknown) => { facts: string[][]; scores: string[][] };

type Sparkline = (values: readonly (number | null)[], width: number, height: number) => string;

type StatusPanel = (words: Words, request: (path: string) => Promise<Response>) => LiveObserver;

type MakeStreamHistory = () => {
  /** Connections that broke and came back by themselves. */
  reconnects: number;
  /** Since when the phase is as it is. */
  sinceMs: number;
  add(atMs: number, latencyMs: number): void;
  enter(phase: GatewayState["phase"], nowMs: number): void;
  /** Of the last minute, and the median of each of its seconds, oldest first: null where no result came. */
  latency(nowMs: number): { medianMs: number | null; percentile95Ms: number | null; seconds: (number | null)[] };
};

/** Of one result. */
type Latency = { atMs: number; latencyMs: number };
