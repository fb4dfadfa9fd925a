/** Told what is being measured now, and how much of the part is done. */
export type OnProgress = (progress: {
  readonly what: string;
  readonly done: number;
  readonly total: number;
}) => void;
