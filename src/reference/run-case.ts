import type { Backend } from '../backends/backend';
import { countRows } from '../backends/kernel';
import { restoreRows, storeRows } from '../backends/quantize';
import type { DeviceBuffer } from '../backends/schedule';
import { differentiate } from '../scheduler/backward';
import { buildSchedule } from '../scheduler/build-schedule';
import { frozen, frozenMatrix, Tape, type Tensor, trainable } from '../scheduler/tape';
import { type CaseInput, given, type OpCase } from './case';
import { packCase } from './pack-case';
import { CaseRandom } from './random';

/** How far one tensor of a case was from the oracle. */
export interface CaseCheck {
  /** As its file in src/ops is called. */
  readonly op: string;
  /** Shapes and options. */
  readonly case: string;
  /** 'forward' or 'gradient of NAME'. */
  readonly what: string;
  /** Largest absolute difference, relative to the oracle's largest absolute value. */
  readonly error: number;
  /** The most that `error` may be. */
  readonly tolerance: number;
  readonly passed: boolean;
}

const DEFAULT_TOLERANCE = 2e-5;

/** The gradient that a case's output is given: arbitrary, exact in f32. A loss is given 1. */
export function outputGradientOf(item: OpCase, length: number): Float64Array {
  return item.isLoss ? new Float64Array(length).fill(1) : new CaseRandom(977).values(length);
}

/** Runs a case's forward and backward pass on a backend and compares both with the oracle. */
export async function runCase(backend: Backend, item: OpCase): Promise<CaseCheck[]> {
  const batch = packCase(item);
  const owned: DeviceBuffer[] = [];
  const upload = async (values: ArrayLike<number>, label: string) => {
    const buffer = await backend.allocate(values.length * 4, label);
    owned.push(buffer);
    backend.write(buffer, 0, Float32Array.from(values));
    return buffer;
  };
  try {
    const inputs: { readonly input: CaseInput; readonly tensor: Tensor; readonly gradient?: DeviceBuffer }[] =
      [];
    for (const input of item.inputs) {
      if (input.matrix !== undefined) {
        inputs.push({ input, tensor: await uploadMatrix(backend, input, upload, owned) });
        continue;
      }
      const buffer = await upload(input.values, input.name);
      if (input.role === 'parameter') {
        // Not zero: a parameter's gradient accumulates, and a kernel that overwrites must be caught.
        const gradient = await upload(
          new Float64Array(input.values.length).fill(GRADIENT_BEFORE),
          'gradient',
        );
        const place = { buffer, gradient, byteOffset: 0 };
        inputs.push({ input, tensor: trainable(input.name, place, input.rows, input.columns), gradient });
      } else {
        const rows = countRows(input.rows, batch);
        const tensor = { ...frozen(input.name, buffer, rows, input.columns), rows: input.rows };
        inputs.push({ input, tensor: { ...tensor, requiresGradient: input.role === 'activation' } });
      }
    }
    const values = item.inputs.map(heldValues);
    const expected = item.forward(values);
    const outputGradient = outputGradientOf(item, expected.length);
    const expectedGradients = item.backward(values, outputGradient);

    const tape = new Tape();
    const output = item.build(
      tape,
      inputs.map(({ tensor }) => tensor),
    );
    const seed = item.isLoss
      ? output
      : {
          ...frozen('output gradient', await upload(outputGradient, 'output gradient'), 1, output.columns),
          rows: output.rows,
        };
    const { dispatches, gradients } = differentiate(tape, new Map([[output, seed]]));
    const outputs: Record<string, Tensor> = { forward: output };
    for (const { input, tensor } of inputs) {
      const gradient = gradients.get(tensor);
      if (gradient !== undefined && input.role === 'activation')
        outputs[`gradient of ${input.name}`] = gradient;
    }
    const schedule = buildSchedule(item.name, [...tape.forward(), ...dispatches], outputs, batch);
    const executable = await backend.prepare(schedule);
    const results = new Map<string, Float32Array>();
    try {
      const run = await executable.run({
        microBatches: [batch],
        seed: item.seed ?? 0,
        step: item.step ?? 0,
        lossScale: item.lossScale ?? 1,
      });
      schedule.outputs.forEach(({ name }, index) => {
        results.set(name, run.outputs[index] ?? new Float32Array(0));
      });
    } finally {
      executable.dispose();
    }
    for (const { input, gradient } of inputs) {
      if (gradient === undefined) continue;
      const read = await backend.read(gradient, input.values.length);
      results.set(
        `gradient of ${input.name}`,
        read.map((value) => value - GRADIENT_BEFORE),
      );
    }

    const checks = [compare(item, 'forward', expected, results.get('forward'))];
    inputs.forEach(({ input }, index) => {
      const gradient = expectedGradients[index];
      const what = `gradient of ${input.name}`;
      if (gradient !== undefined) checks.push(compare(item, what, gradient, results.get(what)));
    });
    return checks;
  } finally {
    for (const buffer of owned) buffer.dispose();
  }
}

type Upload = (values: ArrayLike<number>, label: string) => Promise<DeviceBuffer>;

async function uploadMatrix(
  backend: Backend,
  input: CaseInput,
  upload: Upload,
  owned: DeviceBuffer[],
): Promise<Tensor> {
  const { name, columns, matrix } = input;
  const { storage, use } = given(matrix);
  const rows = input.values.length / columns;
  const stored = storeRows(Float32Array.from(input.values), columns, storage);
  const { buffer, writeRows } = await backend.allocateMatrix({ label: name, rows, columns, storage, use });
  owned.push(buffer);
  writeRows(0, stored.elements);
  const scales =
    stored.scales.length === 0
      ? undefined
      : frozen('scales', await upload(stored.scales, 'scales'), 1, stored.scales.length);
  return frozenMatrix(name, buffer, columns, { rows, storage, scales });
}

/** What the device computes with: of a matrix, what is left of the values in its storage. */
function heldValues({ values, columns, matrix }: CaseInput): Float64Array {
  if (matrix === undefined) return values;
  const stored = storeRows(Float32Array.from(values), columns, matrix.storage);
  return Float64Array.from(restoreRows(stored, columns));
}

const GRADIENT_BEFORE = 0.5;

function compare(
  item: OpCase,
  what: string,
  expected: Float64Array,
  found: Float32Array | undefined,
): CaseCheck {
  const tolerance = item.tolerance ?? DEFAULT_TOLERANCE;
  let error = found?.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  // Gradients that accumulate onto GRADIENT_BEFORE are rounded at its size.
  let largest = what === 'forward' ? 1e-6 : 1e-2;
  for (const value of expected) largest = Math.max(largest, Math.abs(value));
  expected.forEach((value, i) => {
    const difference = Math.abs(value - (found?.[i] ?? Number.NaN)) / largest;
    if (!(difference <= error)) error = difference;
  });
  return { op: item.op, case: item.name, what, error, tolerance, passed: error <= tolerance };
}
