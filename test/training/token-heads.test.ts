/** One step of the heads with a row for each token against PyTorch in float64: test/golden/token_heads.py. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { houlsby } from '../../src/adapters/houlsby';
import { IGNORED_LABEL } from '../../src/ops/cross_entropy';
import { ParameterLayout } from '../../src/scheduler/parameters';
import { batches, type EncodedExample } from '../../src/training/batches';
import { capacityOf, trainingSchedule } from '../../src/training/record-task';
import { resolveTask, taskParameters } from '../../src/training/task-spec';
import { useBackend } from '../support/backends';
import { goldenPath, readGolden } from '../support/checkpoint';
import { relativeError } from '../support/compare';
import { useGoldenBert } from '../support/golden-bert';

interface TokenHeads {
  /** -100 where a token has none. */
  readonly labels: readonly (readonly number[])[];
  readonly tokenLoss: number;
  readonly classWeights: readonly number[];
  readonly weightedTokenLoss: number;
  readonly spans: readonly (readonly number[])[];
  readonly spanLoss: number;
}

const golden: TokenHeads = JSON.parse(readFileSync(goldenPath('bert', 'token_heads.json'), 'utf8'));
const { sequences }: { sequences: { ids: number[]; typeIds: number[] }[] } = JSON.parse(
  readFileSync(goldenPath('bert', 'batch.json'), 'utf8'),
);
// f32 arithmetic on a device against float64, as in bert-golden.test.ts.
const TOLERANCE = 1e-4;

const tokens = {
  kind: 'token-classification',
  labels: ['a', 'b', 'c'],
  rows: golden.labels.map((row) => row.map((label) => (label < 0 ? IGNORED_LABEL : label))),
  weights: golden.labels.map((row) => row.filter((label) => label >= 0).length),
} as const;

const HEADS = {
  'token classification': {
    ...tokens,
    classWeights: undefined,
    loss: golden.tokenLoss,
    gradients: 'token_gradients.safetensors',
  },
  'token classification, weighted': {
    ...tokens,
    classWeights: Object.fromEntries(tokens.labels.map((label, i) => [label, golden.classWeights[i] ?? 0])),
    loss: golden.weightedTokenLoss,
    gradients: 'token_weighted_gradients.safetensors',
  },
  'question answering': {
    kind: 'question-answering',
    classWeights: undefined,
    labels: [],
    rows: golden.spans,
    weights: golden.spans.map(() => 1),
    loss: golden.spanLoss,
    gradients: 'span_gradients.safetensors',
  },
} as const;

/** They move all logits of a column alike, which no softmax notices: their gradient is 0 but for rounding. */
const SHIFTS = ['classifier.bias', 'layer.1.output.layer_norm.bias'];

describe.each(['serial', 'tiled', 'wasm'] as const)('against PyTorch, %s kernels', (kind) => {
  const backend = useBackend(kind);
  const encoder = useGoldenBert(backend);

  describe.each(['token classification', 'token classification, weighted', 'question answering'] as const)(
    '%s',
    (name) => {
      const head = HEADS[name];

      // Of 64 tokens, two micro-batches.
      it.each([128, 64])('loss and every gradient, %i tokens at once', async (tokenBudget) => {
        const adapter = houlsby({ bottleneck: 8 });
        const spec = resolveTask({ kind: head.kind, labels: head.labels, adapter, dropout: 0 }, encoder());
        const layout = new ParameterLayout(taskParameters(spec, encoder(), 0));
        const values = await readGolden('bert', 'parameters.safetensors');
        if (head.kind === 'question-answering') {
          for (const [name, data] of await readGolden('bert', 'span_classifier.safetensors'))
            values.set(name, data);
        }
        expect(layout.places.map(({ name }) => name).sort()).toEqual([...values.keys()].sort());
        const arena = new Float32Array(layout.size);
        for (const [name, data] of values) layout.slice(arena, name).set(data);
        const parameters = await backend().allocate(arena.byteLength, 'parameters');
        backend().write(parameters, 0, arena);
        const gradients = await backend().allocate(layout.size * 4, 'gradients');
        const task = { spec, encoder: encoder(), layout, parameters, frozenLayerNorms: new Map() };
        const plain = sequences.map((sequence, i): EncodedExample => {
          return { ...sequence, labels: head.rows[i] ?? [], weight: head.weights[i] ?? 0 };
        });
        const weighing = head.classWeights && spec.head.weigh?.(head.classWeights, plain);
        const examples = weighing?.examples ?? plain;
        const classWeights =
          weighing && (await backend().allocate(weighing.weights.byteLength, 'class weights'));
        if (weighing && classWeights) backend().write(classWeights, 0, weighing.weights);
        const executable = await backend().prepare(
          trainingSchedule(task, gradients, capacityOf(tokenBudget, 5), { classWeights }),
        );
        const { labelType } = spec.head;
        const [logical] = [
          ...batches(examples, [0, 1, 2, 3, 4], { batchSize: 5, tokenBudget, labels: labelType }),
        ];
        expect(logical?.microBatches.length).toBe(tokenBudget === 64 ? 2 : 1);
        const weight = logical?.weight ?? 0;
        const { outputs } = await executable.run({
          microBatches: logical?.microBatches ?? [],
          seed: 0,
          step: 1,
          lossScale: 1 / weight,
          clear: [gradients],
          readBack: [{ buffer: gradients, into: () => arena }],
        });
        executable.dispose();
        const loss = (outputs[0] ?? []).reduce((sum, value) => sum + value, 0) / weight;
        expect(Math.abs(loss - head.loss) / head.loss).toBeLessThan(TOLERANCE);
        const wanted = await readGolden('bert', head.gradients);
        expect(wanted.size).toBe(28);
        for (const [name, gradient] of wanted) {
          if (head.kind === 'question-answering' && SHIFTS.includes(name)) {
            for (const value of layout.slice(arena, name)) expect(Math.abs(value)).toBeLessThan(1e-6);
            continue;
          }
          expect(relativeError(layout.slice(arena, name), gradient), name).toBeLessThan(TOLERANCE);
        }
        classWeights?.dispose();
        parameters.dispose();
        gradients.dispose();
      });
    },
  );
});
