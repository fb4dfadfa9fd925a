/** The JSON files among the inputs, and how a contestant reads them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '../../src/formats/safetensors';
import { openLocalFile } from '../../src/platform/directory';

export interface TrainingData {
  readonly kind: 'classification' | 'regression';
  readonly outputs: number;
  readonly examples: readonly {
    readonly ids: readonly number[];
    readonly typeIds: readonly number[];
    /** A class number, or the target value. */
    readonly label: number;
  }[];
}

export function readTrainingData(directory: string, name: string): TrainingData {
  return JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8'));
}

/** `[batch][sequence]` → token ids. */
export function readForwardBatches(directory: string): number[][][] {
  return JSON.parse(readFileSync(join(directory, 'forward.json'), 'utf8'));
}

export function readTexts(directory: string): string[] {
  const { texts }: { texts: string[] } = JSON.parse(readFileSync(join(directory, 'tokenizer.json'), 'utf8'));
  return texts;
}

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** All tensors of a safetensors file among the inputs, by name. */
export async function readTensors(directory: string, name: string): Promise<Map<string, Tensor>> {
  const file = await openLocalFile(join(directory, name));
  if (file === undefined) throw new Error(`${name} is not in ${directory}`);
  const tensors = await openSafetensors(file);
  const all = new Map<string, Tensor>();
  for (const tensor of tensors.names()) {
    const shape = tensors.info(tensor)?.shape ?? [];
    // BERT checkpoints hold position_ids, which are integers and nobody's weights.
    if (tensors.info(tensor)?.dtype.startsWith('I')) continue;
    all.set(tensor, { shape, data: await tensors.readFloat32(tensor) });
  }
  await tensors.close();
  return all;
}
