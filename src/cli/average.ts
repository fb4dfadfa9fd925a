import { basename } from 'node:path';
import { loadBackbone, OptionError, writeFilesAtomic } from '../index';
import { loadTasks } from './load-tasks';
import type { AverageOptions } from './options';
import { createProgress } from './progress';
import { withRuntime } from './runtime';
import { grouped, printable, table } from './terminal';

/** `graft average`: the weighted mean of saved adapters, saved as one. */
export async function average(options: AverageOptions): Promise<void> {
  const { adapter: directories, weights, head, out } = options;
  const kept = head === undefined ? -1 : directories.indexOf(head);
  if (head !== undefined && kept < 0) {
    throw new OptionError('--head', `${head} is not one of the adapters`, `Give ${directories.join(' or ')}`);
  }
  // Nothing is computed on the device.
  await withRuntime({ backend: 'wasm', threads: 1, kernels: 'auto' }, async (runtime) => {
    const progress = createProgress({ quiet: false });
    const backbone = await loadBackbone(options.backbone, { runtime, onProgress: progress.download });
    const tasks = await loadTasks(backbone, directories);
    progress.stop();
    const task = await backbone.averageTasks(tasks, { name: basename(out), weights, head: tasks[kept] });
    const files = await task.save();
    await writeFilesAtomic(out, files);
    process.stdout.write(
      table(
        Object.entries(files).map(([name, { length }]) => [
          printable(`${out}/${name}`),
          `${grouped(length)} bytes`,
        ]),
      ),
    );
  });
}
