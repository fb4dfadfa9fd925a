import { OptionError } from '../errors';
import type { RecordedTask } from './record-task';
import { digestOf } from './stack';

/** Throws OptionError with the `hint` for tasks whose parameters are not one for one the same, their heads apart. */
export function checkSameShape(tasks: readonly RecordedTask[], hint: string): void {
  const [first] = tasks;
  if (first === undefined) return;
  const expected = shapeOf(first);
  for (const task of tasks) {
    const differing = Object.entries(shapeOf(task)).find(([name, value]) => expected[name] !== value);
    if (differing === undefined) continue;
    const [name, value] = differing;
    throw new OptionError(
      'tasks',
      `${task.spec.name} and ${first.spec.name} differ in ${name}: ${value}, ${expected[name]}`,
      hint,
    );
  }
}

/** What must be equal, for people. */
function shapeOf({ spec, below = [] }: RecordedTask): Readonly<Record<string, string>> {
  const { adapter, adapterLayers, layerNorm } = spec;
  return {
    method: adapter.kind,
    options: JSON.stringify(adapter.options),
    'adapted layers': adapterLayers.join(', '),
    LayerNorms: layerNorm,
    'what they stand on': below.length === 0 ? 'nothing' : digestOf(below),
  };
}
