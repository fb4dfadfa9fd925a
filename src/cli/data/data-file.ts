/** A file of examples, in memory. */
export interface DataFile {
  /** For messages; its end tells the format. */
  readonly name: string;
  readonly bytes: Uint8Array;
}
