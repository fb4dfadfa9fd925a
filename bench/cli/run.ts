import { writeFileAtomic } from '../../src/platform/write';
import { createRuntime } from '../../src/training/runtime';
import type { OnProgress } from '../report/progress';
import type { BenchDocument, Table } from '../report/table';
import { machineText, tableText } from '../report/text';
import { describeMachine } from './machine';
import { parts } from './parts';
import type { BenchOptions, Part } from './program';

/** Measures the parts one after the other; a part's tables are printed as soon as it is done. */
export async function runBench(chosen: readonly Part[], options: BenchOptions): Promise<void> {
  const { quick, json } = options;
  await using runtime = await createRuntime({ backend: options.backend, threads: options.threads });
  const backend = runtime.compute;
  const machine = describeMachine(backend);
  const print = (text: string) => {
    if (json !== true) process.stdout.write(text);
  };
  print(`${machineText(machine)}\n`);
  const tables: Table[] = [];
  for (const part of chosen) {
    // The kernels' shares need the probes: they are measured with them.
    if (part === 'probes' && chosen.includes('kernels')) continue;
    const made = await parts[part](backend, options, showProgress(part));
    clearProgress();
    for (const table of made) print(`${tableText(table)}\n`);
    tables.push(...made);
  }
  const document: BenchDocument = { machine, isQuick: quick, tables };
  const text = `${JSON.stringify(document, undefined, 2)}\n`;
  if (json === true) process.stdout.write(text);
  else if (json !== undefined) await writeFileAtomic(json, new TextEncoder().encode(text));
}

/** One line of the terminal, written over; nothing where stderr is a file. */
function showProgress(part: Part): OnProgress {
  return ({ what, done, total }) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${part} ${done}/${total}: ${what}`);
  };
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
}
