/** What the driver and a contestant, a process of its own, say to each other: one JSON object a line. */

/** What a contestant is started with, as its last argument. */
export interface Job {
  /** Names the contestant's work: 'product', 'step', 'forward', 'tokenizer', 'training'. */
  readonly work: string;
  /** Directory of the inputs: see inputs.ts. */
  readonly inputs: string;
  /** What tells one contestant of the same peer from another: `{ backend: 'wasm', form: 'stock' }`. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The first line: the contestant is set up and has computed what it is checked by. */
export interface Ready {
  readonly type: 'ready';
  /** How it runs, for the table: '2 threads, SIMD'. */
  readonly setup: string;
  /** The numbers that all contestants must agree on, f32, little-endian, base64. */
  readonly check: string;
}

/** The answer to each line 'round'. */
export interface Round {
  readonly type: 'round';
  readonly milliseconds: number;
  /** A number that must agree between contestants in the same round: the loss. */
  readonly value?: number;
  /** The most memory that the process ever had resident, in bytes. */
  readonly peakBytes: number;
}

/** Instead of either. */
export interface Failure {
  readonly type: 'failure';
  readonly reason: string;
}

export type Reply = Ready | Round | Failure;

/** Lines of a contestant's standard output that are replies start with this; what its libraries print does not. */
export const REPLY_MARK = '\u0002';
