import type { Backend } from '../backends/backend';
import { opCases } from './index';
import { type CaseCheck, runCase } from './run-case';

/** For `Runtime.selfTest`. */
export interface SelfTestOptions {
  /** Cases done, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Stops between two cases; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a self-test found. */
export interface SelfTestReport {
  /** Whether all checks did. */
  readonly passed: boolean;
  /** Every tensor of every case. */
  readonly checks: readonly CaseCheck[];
}

/** Checks every op's kernels on a device against the float64 oracles. */
export async function runSelfTest(backend: Backend, options: SelfTestOptions): Promise<SelfTestReport> {
  const checks: CaseCheck[] = [];
  const cases = opCases();
  for (const [index, item] of cases.entries()) {
    options.signal?.throwIfAborted();
    checks.push(...(await runCase(backend, item)));
    options.onProgress?.(index + 1, cases.length);
  }
  return { passed: checks.every(({ passed }) => passed), checks };
}
