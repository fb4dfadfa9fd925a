import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '../../src/formats/safetensors';
import { directorySource } from '../../src/platform/directory';

/** A file or folder beside the fixtures' generators. */
export function goldenPath(...parts: string[]): string {
  return join(import.meta.dirname, '..', 'golden', ...parts);
}

/** All tensors of one of the fixtures' safetensors files. */
export async function readGolden(directory: string, file: string): Promise<Map<string, Float32Array>> {
  const opened = await directorySource(goldenPath(directory)).open(file);
  if (opened === undefined) throw new Error(`${directory}/${file} is missing`);
  const tensors = await openSafetensors(opened);
  const values = new Map<string, Float32Array>();
  for (const name of tensors.names()) values.set(name, await tensors.readFloat32(name));
  await tensors.close();
  return values;
}

/**
 * The directory of all-MiniLM-L6-v2, which is too large for the repository: GRAFT_MINILM, or .cache/minilm. The tests
 * that need it say so and are skipped where it is absent.
 */
export function minilmPath(): string | undefined {
  const path = process.env.GRAFT_MINILM ?? join(import.meta.dirname, '..', '..', '.cache', 'minilm');
  return existsSync(join(path, 'model.safetensors')) ? path : undefined;
}
