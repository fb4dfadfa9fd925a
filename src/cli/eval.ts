import { loadBackbone, OptionError, type Task } from '../index';
import { readTaskExamples } from './data/task-examples';
import { checkHubOptions } from './hub-options';
import type { EvalOptions } from './options';
import { createProgress } from './progress';
import { withRuntime } from './runtime';
import { duration, grouped, metricFigures, printable, printJson, table } from './terminal';

/** `graft eval`: the metrics of a trained adapter on a labelled file. */
export async function evaluate(options: EvalOptions): Promise<void> {
  const { data, config, split } = options;
  checkHubOptions({ '--split': split, '--config': config }, data);
  await withRuntime(options, async (runtime) => {
    const progress = createProgress({ quiet: options.json });
    const backbone = await loadBackbone(options.backbone, {
      runtime,
      weights: options.weights,
      onProgress: progress.download,
    });
    const task = await backbone.loadTask(options.adapter);
    checkPairs(task, options);
    const knownLabels = task.labels.length === 0 ? undefined : task.labels;
    const { examples } = await readTaskExamples(
      data,
      task.kind,
      { ...options, knownLabels },
      { config, split: split ?? 'validation', onProgress: progress.download },
    );
    const start = performance.now();
    const metrics = await task.evaluate(examples, { dropLayers: options.dropLayers });
    const seconds = (performance.now() - start) / 1000;
    progress.stop();
    const device = runtime.device.name;
    if (options.json) {
      printJson({ ...metrics, backend: runtime.backend, device, seconds });
      return;
    }
    process.stdout.write(
      table([
        ...metricFigures(metrics),
        ['loss', metrics.loss.toFixed(4)],
        ['examples', grouped(metrics.examples)],
        ['time', duration(seconds)],
        ['backbone', printable(options.backbone)],
        ['device', `${device} (${runtime.backend})`],
      ]),
    );
  });
}

function checkPairs(task: Task, { textPair, adapter }: EvalOptions): void {
  if (task.kind === 'token-classification' || task.kind === 'question-answering') return;
  if (task.takesPairs && textPair === undefined) {
    throw new OptionError('--text-pair', `is missing, and the task in ${adapter} takes pairs of texts`);
  }
  if (!task.takesPairs && textPair !== undefined) {
    throw new OptionError('--text-pair', `is given, but the task in ${adapter} takes single texts`);
  }
}
