import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Inspection, inspectFiles } from '../index';
import type { InspectOptions } from './options';
import { createProgress } from './progress';
import { grouped, printable, printJson, table } from './terminal';

/** `graft inspect`: what a directory or a file holds. */
export async function inspect(path: string, options: InspectOptions): Promise<void> {
  const progress = createProgress({ quiet: options.json });
  const isFile = (await stat(path).catch(() => undefined))?.isFile() === true;
  const inspection = await inspectFiles(isFile ? dirname(path) : path, {
    file: isFile ? basename(path) : undefined,
    onProgress: progress.download,
  });
  progress.stop();
  if (options.json) printJson(inspection);
  else process.stdout.write(describeInspection(inspection));
}

/** The facts, the tensors, the sum. */
export function describeInspection(inspection: Inspection): string {
  const { kind, description, facts, tensors, parameters, problem } = inspection;
  const types = [...new Set(tensors.map(({ dtype }) => dtype))];
  const rows = [
    [kind, printable(description)],
    ...Object.entries(facts).map(([name, value]) => [words(name), printable(textOf(value))]),
    ['parameters', grouped(parameters)],
    ...(types.length === 0 ? [] : [['tensors', `${tensors.length} of ${types.join(', ')}`]]),
    ...(problem === undefined ? [] : [['problem', printable(problem)]]),
  ];
  const list = tensors.map(({ name, dtype, shape }) => [
    `  ${printable(name)}`,
    dtype,
    `[${shape.join(', ')}]`,
  ]);
  return table(rows) + (list.length === 0 ? '' : `\n${table(list)}`);
}

/** 'adapterLayers' → 'adapter layers' */
function words(name: string): string {
  return printable(name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));
}

function textOf(value: Inspection['facts'][string]): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return JSON.stringify(value);
  return value.length === 0
    ? 'none'
    : value.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(', ');
}
