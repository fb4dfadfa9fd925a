import type { BatchShape, Dispatch } from '../backends/kernel';
import type { Schedule } from '../backends/schedule';
import { buildSchedule } from '../scheduler/build-schedule';
import { Tape, type Tensor } from '../scheduler/tape';
import { frozenParameter, type RecordedTask, recordLogits } from './record-task';

/** How many of the lowest layers are the backbone's own in all of these tasks; with them the embeddings, unless it is 0. */
export function countSharedLayers(tasks: readonly RecordedTask[]): number {
  const bare = ({ spec, below = [], droppedLayers = 0 }: RecordedTask) =>
    Math.max(droppedLayers, Math.min(...[{ spec }, ...below].map((adapter) => adapter.spec.frozenLayers)));
  return Math.min(...tasks.map(bare));
}

/**
 * Several tasks on the same sequences, the layers that they share computed once: output i is the logits `[B, C]` of task i. Rücklé et
 * al. 2021, §3: what lies below the first adapter depends on the text alone.
 */
export function sharedLayersSchedule(tasks: readonly RecordedTask[], capacity: BatchShape): Schedule {
  const shared = countSharedLayers(tasks);
  const dispatches: Dispatch<Tensor>[] = [];
  const outputs: Record<string, Tensor> = {};
  let entered: Tensor | undefined;
  for (const [index, task] of tasks.entries()) {
    const tape = new Tape();
    const enter = (layer: number, hidden: Tensor): Tensor => {
      if (shared === 0 || layer !== shared) return hidden;
      entered ??= hidden;
      // What leads to it is on the first task's tape already.
      if (entered !== hidden) tape.dropSteps();
      return entered;
    };
    const recording = { parameter: frozenParameter(task), isTraining: false, enter };
    outputs[`logits ${index}`] = recordLogits(tape, task, recording);
    dispatches.push(...tape.forward());
  }
  return buildSchedule(
    `predicting ${tasks.map(({ spec }) => spec.name).join(', ')}`,
    dispatches,
    outputs,
    capacity,
  );
}
