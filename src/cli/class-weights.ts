import { readFile } from 'node:fs/promises';
import { type ClassWeights, DataError, OptionError } from '../index';
import { parseDecimal } from './number';
import type { TrainOptions } from './options';
import { accessError } from './system-error';

const OPTION = '--class-weights';

/**
 * `balanced`, `label:number,label:number`, or the name of a .json file that holds an object of numbers by label, for labels with
 * commas.
 *
 * @throws OptionError, DataError, FileAccessError
 */
export async function readClassWeights({
  classWeights: text,
}: Pick<TrainOptions, 'classWeights'>): Promise<ClassWeights | undefined> {
  if (text === undefined || text === 'balanced') return text;
  return text.endsWith('.json') ? readWeightsFile(text) : parseWeights(text);
}

function parseWeights(text: string): ClassWeights {
  const weights = new Map<string, number>();
  for (const part of text.split(',')) {
    // The last colon: a label may hold one.
    const colon = part.lastIndexOf(':');
    const label = part.slice(0, Math.max(0, colon)).trim();
    const weight = parseDecimal(part.slice(colon + 1).trim());
    if (label === '' || Number.isNaN(weight)) {
      throw new OptionError(
        OPTION,
        `${JSON.stringify(part)} is no label with a number`,
        'Write balanced, or label:number,label:number, or the name of a .json file',
      );
    }
    if (weights.has(label)) throw new OptionError(OPTION, `${JSON.stringify(label)} is there twice`);
    weights.set(label, weight);
  }
  return Object.fromEntries(weights);
}

async function readWeightsFile(file: string): Promise<ClassWeights> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw accessError(file, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DataError(file, undefined, 'is not JSON', 'Write {"label": number}', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DataError(file, undefined, 'is not a JSON object', 'Write {"label": number}');
  }
  const weights = new Map<string, number>();
  for (const [label, weight] of Object.entries(value)) {
    if (typeof weight !== 'number') {
      throw new DataError(
        file,
        undefined,
        `the weight of ${JSON.stringify(label)} is ${JSON.stringify(weight)}`,
        'A number is needed',
      );
    }
    weights.set(label, weight);
  }
  return Object.fromEntries(weights);
}
