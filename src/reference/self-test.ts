import type { Backend } from '../backends/backend';
import { opCases } from './index';
import { type CaseCheck, runCase } from './run-case';

export interface SelfTestOptions {
  /** Cases done, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SelfTestReport {
  readonly passed: boolean;
  readonly checks: readonly CaseCheck[];
}

/** Checks every op's kernels on a device against the float64 oracles. */
export async function runSelfTest(backend: Backend, options: SelfTestOptions): Promise<SelfTestReport> {
  const checks: CaseCheck[] = [];
  for (const [index, item] of opCases.entries()) {
    options.signal?.throwIfAborted();
    checks.push(...(await runCase(backend, item)));
    options.onProgress?.(index + 1, opCases.length);
  }
  return { passed: checks.every(({ passed }) => passed), checks };
}
