/** Parameters of several tasks of one method and shape in one arena, each parameter's behind each other: `Tensor.groups`. */
import type { Backend } from '../backends/backend';
import type { DeviceBuffer } from '../backends/schedule';
import { OptionError } from '../errors';
import { ParameterLayout } from '../scheduler/parameters';
import { checkBindings } from './bindings';
import type { RecordedTask } from './record-task';
import type { TaskParts } from './task';
import { checkSameShape } from './task-shape';

/** Whose parameters are those of products that a sequence may have of its own, of LayerNorms, and of the head. */
const GROUPED_METHODS: readonly string[] = ['houlsby', 'pfeiffer', 'parallel', 'lora', 'layer-norm', 'head'];

/** Throws OptionError for tasks whose sequences cannot share a batch, with what differs. */
function checkGroup(tasks: readonly RecordedTask[]): void {
  for (const { spec, below } of tasks) {
    if (!GROUPED_METHODS.includes(spec.adapter.kind)) {
      throw new OptionError(
        'tasks',
        `${spec.name} is trained by ${spec.adapter.kind}, whose tasks cannot share a batch`,
        `${GROUPED_METHODS.join(', ')} can; or predict each by itself`,
      );
    }
    if (below !== undefined) {
      throw new OptionError(
        'tasks',
        `${spec.name} stands on another adapter, and such tasks cannot share a batch`,
        'Predict it by itself',
      );
    }
  }
  checkSameShape(tasks, 'Only tasks of one method and shape share a batch; predict the others by themselves');
}

/** The arena, made of what the tasks have at the time. */
export class GroupedParameters {
  readonly #backend: Backend;
  readonly #buffer: DeviceBuffer;
  /** What schedules are recorded from. */
  readonly recorded: RecordedTask;
  /** Of its head: as many as the widest task's. */
  readonly outputs: number;
  #versions: readonly number[] = [];

  private constructor(backend: Backend, buffer: DeviceBuffer, recorded: RecordedTask, outputs: number) {
    this.#backend = backend;
    this.#buffer = buffer;
    this.recorded = recorded;
    this.outputs = outputs;
  }

  /** Throws OptionError, DeviceLimitError or OutOfDeviceMemoryError. */
  static async create(backend: Backend, tasks: readonly RecordedTask[]): Promise<GroupedParameters> {
    checkGroup(tasks);
    const [first] = tasks;
    if (first === undefined) throw new OptionError('tasks', 'there is none');
    const outputs = Math.max(...tasks.map(({ spec }) => spec.head.outputs));
    const layout = new ParameterLayout(
      first.layout.places.map(({ name, rows, columns, decay }) => {
        const own = sizeIn(name, rows, columns, outputs);
        return {
          name,
          shape: [tasks.length * own.rows, own.columns],
          decay,
          initialize: () => new Float32Array(0),
        };
      }),
    );
    checkBindings(layout, backend, 'Put fewer tasks into one group');
    const buffer = await backend.allocate(layout.size * 4, `parameters of ${tasks.length} tasks`);
    const recorded = { ...first, layout, parameters: buffer, groups: tasks.length };
    return new GroupedParameters(backend, buffer, recorded, outputs);
  }

  /** Uploads what the tasks have, where it is not what they had. */
  update(tasks: readonly TaskParts[]): void {
    const versions = tasks.map(({ version }) => version);
    if (versions.join() === this.#versions.join()) return;
    const { layout } = this.recorded;
    const arena = new Float32Array(layout.size);
    tasks.forEach((task, group) => {
      for (const { name, offset, length } of task.recorded.layout.places) {
        const place = layout.place(name);
        const begin = place.offset + (group * place.length) / tasks.length;
        arena.set(task.arena.subarray(offset, offset + length), begin);
      }
    });
    this.#backend.write(this.#buffer, 0, arena);
    this.#versions = versions;
  }

  dispose(): void {
    this.#buffer.dispose();
  }
}

/** A parameter's shape with the head as wide as the widest. */
function sizeIn(name: string, rows: number, columns: number, outputs: number) {
  if (name === 'classifier.weight') return { rows: outputs, columns };
  return name === 'classifier.bias' ? { rows, columns: outputs } : { rows, columns };
}
