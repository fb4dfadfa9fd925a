import { execFileSync, spawnSync } from 'node:child_process';

/** The Python to compare with: GRAFT_PYTHON, else python3. */
const PYTHON = process.env.GRAFT_PYTHON ?? 'python3';

/** Why a test that needs these Python modules must be skipped, which it prints, too; `undefined` where they are all there. */
export function missingPython(...modules: readonly string[]): string | undefined {
  const { status } = spawnSync(PYTHON, ['-c', modules.map((name) => `import ${name}`).join('\n')]);
  if (status === 0) return undefined;
  const reason = `${PYTHON} cannot import ${modules.join(', ')}; set GRAFT_PYTHON to one that can`;
  console.warn(`skipped: what compares with Python; ${reason}`);
  return reason;
}

/** Runs a script and returns what it printed; throws with its messages where it fails. */
export function runPython(script: string, ...args: readonly string[]): string {
  return execFileSync(PYTHON, [script, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
