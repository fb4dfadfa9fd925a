/** What the page and its worker tell each other. */
import type { BenchDocument } from '../report/table';
import type { ShapeName } from '../shapes';

export interface PageSettings {
  readonly backend: 'webgpu' | 'wasm';
  readonly shape: ShapeName;
  readonly quick: boolean;
}

export type WorkerMessage =
  | { readonly type: 'progress'; readonly what: string; readonly done: number; readonly total: number }
  | { readonly type: 'done'; readonly document: BenchDocument }
  | { readonly type: 'failed'; readonly message: string };
