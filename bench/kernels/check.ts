import type { Backend } from '../../src/backends/backend';
import { GraftError } from '../../src/errors';
import type { OpCase } from '../../src/reference/case';
import { type CaseCheck, runCase } from '../../src/reference/run-case';
import type { OnProgress } from '../report/progress';

/**
 * Holds kernels against their float64 oracles, as `graft doctor` does; returns how many checks there were.
 * @throws GraftError where one computes a wrong result: it is not worth timing
 */
export async function checkKernels(
  backend: Backend,
  cases: readonly OpCase[],
  onProgress: OnProgress,
): Promise<number> {
  const checks: CaseCheck[] = [];
  for (const [done, item] of cases.entries()) {
    onProgress({ what: `checking ${item.op}`, done, total: cases.length });
    checks.push(...(await runCase(backend, item)));
  }
  const failed = checks.filter(({ passed }) => !passed);
  const [first] = failed;
  if (first !== undefined) {
    throw new GraftError(
      `${failed.length} of ${checks.length} checks failed on ${backend.device.name}, the first in ${first.op}, ${first.case}: ${first.what}`,
      'Nothing was timed; `npm run graft -- doctor` shows every check',
    );
  }
  return checks.length;
}
