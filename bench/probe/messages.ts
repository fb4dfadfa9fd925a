/** What the CPU's probes and their workers tell each other. */
export type ToProbe =
  | { readonly kind: 'start'; readonly module: WebAssembly.Module }
  /** `calls` times `rounds` of the chains. */
  | { readonly kind: 'fma'; readonly rounds: number; readonly calls: number }
  /** `calls` times a copy that reads and writes `bytes` together. */
  | { readonly kind: 'copy'; readonly bytes: number; readonly calls: number };

export type FromProbe =
  /** Started; `chains` as in bench/probe/assembly/fma.ts. */
  | { readonly kind: 'ready'; readonly chains: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly reason: string };
