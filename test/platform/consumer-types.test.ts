/** The package's types as TypeScript users meet them: strictly, without @webgpu/types, @types/node or skipLibCheck. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type InstalledPackage, installPackage, repository } from '../support/package';

let user: InstalledPackage;
beforeAll(() => {
  user = installPackage();
});
afterAll(() => user.remove());

const PROGRAM = `
import { createRuntime, DataError, houlsby, loadBackbone, type Example, type TrainingReport } from 'graft-ml';
import { graftMini } from 'graft-ml/mini';
import { renderReport } from 'graft-ml/report';

export async function train(examples: readonly Example[], show: (report: TrainingReport) => void) {
  await using runtime = await createRuntime({ backend: 'auto', powerPreference: 'low-power' });
  await using backbone = await loadBackbone(graftMini, { runtime, onProgress: ({ file, loaded }) => void [file, loaded] });
  await using task = await backbone.createTask({ labels: ['a', 'b'], adapter: houlsby({ bottleneck: 8 }) });
  try {
    for await (const report of task.train(examples, { epochs: 2 })) show(report);
  } catch (error) {
    if (error instanceof DataError) return error.line;
    throw error;
  }
  const [prediction] = await task.predict(['a text']);
  const files: Record<string, Uint8Array> = await task.save();
  const label: string | undefined = prediction !== undefined && 'label' in prediction ? prediction.label : undefined;
  return { files, label, renderReport };
}
`;

const WRONG = `
import { houlsby } from 'graft-ml';
houlsby({ bottleneck: 'wide' });
`;

/** What tsc says of a program, '' where nothing is wrong. */
async function compile(source: string, options: object): Promise<string> {
  writeFileSync(join(user.directory, 'program.ts'), source);
  const compilerOptions = {
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    types: [],
  };
  writeFileSync(
    join(user.directory, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...compilerOptions, ...options }, files: ['program.ts'] }),
  );
  const tsc = join(repository, 'node_modules', '.bin', 'tsc');
  return user.run(tsc, ['-p', 'tsconfig.json', '--pretty', 'false']).then(
    () => '',
    (error: unknown) => (error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)),
  );
}

const bundler = { target: 'es2022', module: 'esnext', moduleResolution: 'bundler' };
const nodenext = { target: 'es2022', module: 'nodenext', moduleResolution: 'nodenext' };

it.each([
  ['bundler', { ...bundler, lib: ['es2022', 'dom'] }],
  ['bundler, in a worker', { ...bundler, lib: ['es2022', 'webworker'] }],
  ['nodenext', { ...nodenext, lib: ['es2022', 'dom'] }],
])('compile under moduleResolution %s', { timeout: 60_000 }, async (_, options) => {
  expect(await compile(PROGRAM, options)).toBe('');
});

it('compile in Deno', { timeout: 60_000 }, async () => {
  writeFileSync(join(user.directory, 'program.ts'), PROGRAM);
  const deno = join(repository, 'node_modules', '.bin', 'deno');
  await user.run(deno, ['check', '--no-lock', '--node-modules-dir=manual', 'program.ts']);
});

it('find what is wrong', { timeout: 60_000 }, async () => {
  expect(await compile(WRONG, { ...bundler, lib: ['es2022', 'dom'] })).toContain(
    "Type 'string' is not assignable",
  );
});
