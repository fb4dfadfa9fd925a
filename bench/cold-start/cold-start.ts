import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { GraftError } from '../../src/errors';
import { exampleMessages } from '../example-texts';
import type { OnProgress } from '../report/progress';
import { defineTable, type Table } from '../report/table';
import { median } from '../statistics';
import { withSmallBackbone } from './small-backbone';
import { STAGE_NAMES, type Stages } from './stages';

export interface ColdStartRequest {
  /** 'webgpu' or 'wasm'. */
  readonly backend: string;
  /** Fresh processes, of which the median counts. */
  readonly processes: number;
  readonly onProgress: OnProgress;
}

const EXAMPLES = 32;

/** From nothing to the end of the first training step, on a small backbone that is read from files. */
export async function benchColdStart({ backend, processes, onProgress }: ColdStartRequest): Promise<Table> {
  const examples = JSON.stringify(exampleMessages().slice(0, EXAMPLES));
  const starts = await withSmallBackbone(async (directory) =>
    Array.from({ length: processes }, (_, done) => {
      onProgress({ what: 'a fresh process', done, total: processes });
      return startOnce(directory, backend, examples);
    }),
  );
  const medians = STAGE_NAMES.map((name) => median(starts.map((stages) => stages[name])));
  const titles: Readonly<Record<keyof Stages, string>> = {
    start: 'the runtime itself',
    library: 'import of the library',
    runtime: 'createRuntime',
    backbone: 'loadBackbone',
    task: 'createTask',
    step: 'first training step',
  };
  return defineTable({
    name: 'cold-start',
    title: `Cold start on ${backend}: a fresh process, 4 layers, hidden 224, a vocabulary of 7,000, ${EXAMPLES} texts`,
    notes: [`Median of ${processes}. The aim on WASM is a first step that has ended within 2,000 ms.`],
    columns: [
      { key: 'stage', label: 'stage' },
      { key: 'milliseconds', label: 'ms', digits: 0 },
      { key: 'ended', label: 'ended at ms', digits: 0 },
    ],
    rows: STAGE_NAMES.map((name, index) => ({
      stage: titles[name],
      milliseconds: (medians[index] ?? Number.NaN) - (medians[index - 1] ?? 0),
      ended: medians[index] ?? Number.NaN,
    })),
  });
}

/** The child is bundled beside this file: tools/bench/bundle.mjs. */
function startOnce(directory: string, backend: string, examples: string): Stages {
  const child = fileURLToPath(new URL('./cold-start-child.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [child, directory, backend], {
    input: examples,
    encoding: 'utf8',
  });
  if (status !== 0) throw new GraftError(`the cold start failed: ${stderr.trim() || `exit code ${status}`}`);
  return JSON.parse(stdout);
}
