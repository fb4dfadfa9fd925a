/**
 * The paper's second figure (Houlsby et al. 2019, figure 6, left): what is lost when the trained adapters of the layers
 * `first` to `last` are taken out, without training anew.
 */
import type { Backbone, Example, SourceLike } from '../../src/index';
import type { DataSet } from './data';

export interface Ablation {
  readonly title: string;
  readonly layers: number;
  /** Score with all adapters, in hundredths. */
  readonly whole: number;
  /** `[first, last, score − whole]`. */
  readonly cells: readonly (readonly [number, number, number])[];
}

export interface AblationRequest {
  readonly backbone: Backbone;
  readonly set: DataSet;
  /** The files of a task with adapters in all layers. */
  readonly files: SourceLike;
  readonly examples: readonly Example[];
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

export async function ablate(request: AblationRequest): Promise<Ablation> {
  const { backbone, set, files, examples, signal, onProgress } = request;
  await using task = await backbone.loadTask(files);
  const layers = backbone.config.layers;
  const trained = new Map<string, Float32Array>();
  task.setParameters((name, present) => {
    trained.set(name, Float32Array.from(present));
    return present;
  });
  const score = async () => set.score(await task.evaluate(examples, { signal }));
  const whole = await score();
  const spans = Array.from({ length: layers }, (_, first) =>
    Array.from({ length: layers - first }, (_, more) => [first, first + more] as const),
  ).flat();
  const cells: [number, number, number][] = [];
  for (const [index, [first, last]] of spans.entries()) {
    onProgress(index, spans.length);
    task.setParameters((name, present) => {
      const values = trained.get(name) ?? present;
      const layer = /^layer\.(\d+)\..*\.adapter\.up\./.exec(name)?.[1];
      // With up-projections of zero an adapter is the identity, which is what is left when it is taken out.
      const isOut = layer !== undefined && Number(layer) >= first && Number(layer) <= last;
      return isOut ? new Float32Array(values.length) : values;
    });
    cells.push([first, last, (await score()) - whole]);
  }
  return { title: set.title, layers, whole, cells };
}
