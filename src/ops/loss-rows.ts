import type { Kernel } from '../backends/kernel';

/** The shapes of a loss's kernel whose work is `[rows]`: an invocation a row in workgroups of 32, or a workgroup a row. */
export function byRow(entryPoint: string): Kernel['variants'] {
  return {
    serial: { entryPoint, workgroups: ([rows = 0]) => [Math.ceil(rows / 32), 1, 1] },
    tiled: { entryPoint: `${entryPoint}_tiled`, workgroups: ([rows = 0]) => [rows, 1, 1] },
  };
}
