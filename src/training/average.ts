/** The weighted mean of trained tasks: `average_adapter` of Python's `adapters`, its linear strategy. */
import { OptionError } from '../errors';
import type { TaskTensor } from '../formats/task';
import type { CreateTaskOptions, SavedParameters, Task } from './task';
import { checkSameShape } from './task-shape';

/** For `Backbone.averageTasks`. */
export interface AverageOptions {
  /** Names the new adapter in its files. Default 'average'. */
  readonly name?: string | undefined;
  /** One a task; they are divided by their sum. Default: all alike. */
  readonly weights?: readonly number[] | undefined;
  /**
   * Whose head, labels and kind the new task has: one of the tasks. Default 'average': the heads' mean, where all tasks have the same
   * kind and labels.
   */
  readonly head?: 'average' | Task | undefined;
}

/** What the new task is made of. Throws OptionError. */
export function averageOf(
  tasks: readonly Task[],
  { name = 'average', weights, head = 'average' }: AverageOptions,
): { readonly options: CreateTaskOptions; readonly saved: SavedParameters } {
  const [first] = tasks;
  if (first === undefined) throw new OptionError('tasks', 'there is none');
  const parts = tasks.map((task) => task.parts);
  checkSameShape(
    parts.map(({ recorded }) => recorded),
    'Only adapters of one method and shape have a mean',
  );
  if (first.parts.recorded.below !== undefined) {
    throw new OptionError('tasks', `${first.name} stands on another adapter`, 'Average what stands on none');
  }
  const shares = sharesOf(tasks.length, weights);
  if (head === 'average') checkSameLabels(tasks);
  else if (!tasks.includes(head)) throw new OptionError('head', `${head.name} is not one of the tasks`);
  const owner = (head === 'average' ? first : head).parts;
  const { spec, layout } = owner.recorded;
  const tensors = new Map<string, TaskTensor>();
  for (const { name: tensor, shape } of layout.tensors) {
    const kept = head !== 'average' && tensor.startsWith('classifier.');
    const data = kept
      ? layout.slice(owner.arena, tensor).slice()
      : meanOf(
          parts.map(({ recorded, arena }) => recorded.layout.slice(arena, tensor)),
          shares,
        );
    tensors.set(tensor, { shape, data });
  }
  const { adapter, adapterLayers, layerNorm, maxLength, kind, labels } = spec;
  const options: CreateTaskOptions = {
    name,
    kind,
    labels,
    adapter,
    maxLength,
    ...(adapter.canChooseLayers ? { adapterLayers } : {}),
    ...(adapter.canChooseLayerNorm ? { layerNorm: layerNorm === 'all' ? 'all' : 'none' } : {}),
  };
  return { options, saved: { tensors, settings: {} } };
}

/** Summed in float64. */
function meanOf(values: readonly Float32Array[], shares: readonly number[]): Float32Array {
  const mean = new Float64Array(values[0]?.length ?? 0);
  values.forEach((tensor, index) => {
    const share = shares[index] ?? 0;
    tensor.forEach((value, i) => {
      mean[i] = (mean[i] ?? 0) + share * value;
    });
  });
  return Float32Array.from(mean);
}

/** Weights that add up to 1. Throws OptionError. */
function sharesOf(count: number, given: readonly number[] | undefined): readonly number[] {
  const weights = given ?? Array.from({ length: count }, () => 1);
  if (weights.length !== count) {
    throw new OptionError('weights', `there are ${weights.length} for ${count} tasks`, 'Give one a task');
  }
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (!(sum > 0 && Number.isFinite(sum))) {
    throw new OptionError('weights', `${weights.join(', ')} do not add up to a number above 0`);
  }
  return weights.map((weight) => weight / sum);
}

/** Throws OptionError. */
function checkSameLabels(tasks: readonly Task[]): void {
  const headOf = ({ kind, labels }: Task) => JSON.stringify([kind, labels]);
  const [first] = tasks;
  const other = tasks.find((task) => first !== undefined && headOf(task) !== headOf(first));
  if (other !== undefined) {
    throw new OptionError(
      'head',
      `${other.name} and ${first?.name} have other labels, whose heads have no mean`,
      'Give the task whose head is to be kept',
    );
  }
}
