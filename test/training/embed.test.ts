/** The frozen encoder's pooled output against transformers' tokenizer and BertModel in float64: test/golden/bert_step.py. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OptionError } from '../../src/errors';
import { openSafetensors, writeSafetensors } from '../../src/formats/safetensors';
import { directorySource } from '../../src/platform/directory';
import { type Backbone, loadBackbone } from '../../src/training/backbone';
import { createRuntime, type Runtime } from '../../src/training/runtime';
import { goldenPath } from '../support/checkpoint';
import { relativeError } from '../support/compare';

interface Golden {
  readonly maxLength: number;
  readonly items: readonly {
    readonly text: string;
    readonly pair?: string;
    readonly tokens: number;
    readonly pooled: readonly number[];
    readonly first: readonly number[];
  }[];
}

const golden: Golden = JSON.parse(readFileSync(goldenPath('bert', 'embeddings.json'), 'utf8'));
const { maxLength, items } = golden;
/** f32 against float64; another token anywhere moves the values by 1e-2 and more. */
const TOLERANCE = 1e-5;

/** The golden checkpoint's files without the pooler's tensors. */
async function withoutPooler() {
  const file = await directorySource(goldenPath('bert', 'checkpoint')).open('model.safetensors');
  if (file === undefined) throw new Error('model.safetensors is missing');
  const tensors = await openSafetensors(file);
  const kept = [];
  for (const name of tensors.names()) {
    if (name.startsWith('pooler.')) continue;
    const shape = tensors.info(name)?.shape ?? [];
    kept.push({ name, shape, data: await tensors.readFloat32(name) });
  }
  await tensors.close();
  const read = (name: string) => new Uint8Array(readFileSync(goldenPath('bert', 'checkpoint', name)));
  return {
    'config.json': read('config.json'),
    'vocab.txt': read('vocab.txt'),
    'model.safetensors': writeSafetensors(kept, { metadata: { format: 'pt' } }),
  };
}

describe.each(['webgpu', 'wasm'] as const)('Backbone.embed on %s', (backend) => {
  let runtime: Runtime;
  let backbone: Backbone;

  beforeAll(async () => {
    runtime = await createRuntime({ backend });
    backbone = await loadBackbone(goldenPath('bert', 'checkpoint'), { runtime });
  });
  afterAll(() => {
    backbone.dispose();
    runtime.dispose();
  });

  it("is transformers' pooled output, of texts and pairs, cut where they are too long", async () => {
    // The fixture has a pair that is cut, and texts that are not.
    expect(items.map(({ tokens }) => tokens)).toContain(maxLength);
    expect(Math.min(...items.map(({ tokens }) => tokens))).toBe(3);
    const found = await backbone.embed(items, { maxLength });
    expect(found.map(({ length }) => length)).toEqual(items.map(() => 64));
    items.forEach(({ text, pooled }, index) => {
      expect(relativeError(found[index] ?? [], pooled), text).toBeLessThan(TOLERANCE);
    });
    expect(relativeError(found[0] ?? [], items[1]?.pooled ?? [])).toBeGreaterThan(1e-2);
  });

  it("is [CLS]'s last hidden state where the checkpoint has no pooler", async () => {
    const bare = await loadBackbone(await withoutPooler(), { runtime });
    const found = await bare.embed(items, { maxLength });
    items.forEach(({ text, first }, index) => {
      expect(relativeError(found[index] ?? [], first), text).toBeLessThan(TOLERANCE);
    });
    bare.dispose();
  });

  it('does not depend on what lies beside a text, in micro-batches or in runs of their own', async () => {
    const texts = Array.from({ length: 300 }, (_, i) => ({ text: `${'very '.repeat(i % 7)}good day` }));
    const seen: number[] = [];
    const all = await backbone.embed(texts, {
      tokenBudget: 128,
      onProgress: (done) => seen.push(done),
    });
    expect(seen).toEqual([256, 300]);
    const [alone] = await backbone.embed(texts.slice(290, 291));
    expect(relativeError(all[290] ?? [], alone ?? [])).toBeLessThan(1e-6);
    expect(all[283]).toEqual(all[290]);
    expect(await backbone.embed([])).toEqual([]);
  });

  it('can be aborted, and refuses lengths that the backbone has no positions for', async () => {
    const controller = new AbortController();
    const texts = Array.from({ length: 600 }, () => 'a good day');
    const run = backbone.embed(texts, {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await expect(run).rejects.toThrow('enough');
    await expect(backbone.embed(['a'], { maxLength: 129 })).rejects.toThrow(OptionError);
  });
});
