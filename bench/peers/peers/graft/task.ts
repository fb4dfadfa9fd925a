import { join } from 'node:path';
import { houlsby } from '../../../../src/adapters/houlsby';
import type { Backend } from '../../../../src/backends/backend';
import type { DeviceBuffer, Schedule } from '../../../../src/backends/schedule';
import { openCheckpoint } from '../../../../src/models/checkpoint';
import { type FrozenEncoder, uploadEncoder } from '../../../../src/models/frozen-encoder';
import { directorySource } from '../../../../src/platform/directory';
import { ParameterLayout } from '../../../../src/scheduler/parameters';
import { capacityOf, trainingSchedule } from '../../../../src/training/record-task';
import { resolveTask, taskParameters } from '../../../../src/training/task-spec';
import type { TaskKind } from '../../../../src/training/types';
import { readTensors } from '../../inputs-format';

export interface OpenedTask {
  readonly layout: ParameterLayout;
  /** `[layout.size]`: the values of parameters-N.safetensors. */
  readonly initial: Float32Array<ArrayBuffer>;
  /** The parameter arena, holding `initial`, and the gradient arena. */
  readonly parameters: DeviceBuffer;
  readonly gradients: DeviceBuffer;
  schedule(dropout: number, tokenBudget: number, sequences: number): Schedule;
}

export async function openEncoder(inputs: string, backend: Backend): Promise<FrozenEncoder> {
  const checkpoint = await openCheckpoint(directorySource(join(inputs, 'encoder')));
  const encoder = await uploadEncoder(checkpoint, backend);
  await checkpoint.close();
  return encoder;
}

/** A Houlsby task on the inputs' encoder with the inputs' parameters. */
export async function openTask(
  inputs: string,
  backend: Backend,
  kind: TaskKind,
  outputs: number,
): Promise<OpenedTask> {
  const encoder = await openEncoder(inputs, backend);
  const labels = kind === 'regression' ? [] : Array.from({ length: outputs }, (_, i) => String(i));
  const options = { kind, labels, adapter: houlsby({ bottleneck: 64 }) };
  const specs = taskParameters(resolveTask(options, encoder), encoder, 0);
  const layout = new ParameterLayout(specs);
  const values = await readTensors(inputs, `parameters-${outputs}.safetensors`);
  const initial = new Float32Array(layout.size);
  for (const { name } of specs) {
    const value = values.get(name);
    if (value === undefined) throw new Error(`the inputs have no ${name}`);
    layout.slice(initial, name).set(value.data);
  }
  const parameters = await backend.allocate(layout.size * 4, 'parameters');
  const gradients = await backend.allocate(layout.size * 4, 'gradients');
  backend.write(parameters, 0, initial);
  return {
    layout,
    initial,
    parameters,
    gradients,
    schedule: (dropout, tokenBudget, sequences) =>
      trainingSchedule(
        {
          spec: resolveTask({ ...options, dropout }, encoder),
          encoder,
          layout,
          parameters,
          frozenLayerNorms: new Map(),
        },
        gradients,
        capacityOf(tokenBudget, sequences),
      ),
  };
}
