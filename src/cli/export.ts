import { exportTask, writeFilesAtomic } from '../index';
import type { ExportOptions } from './options';
import { createProgress } from './progress';
import { grouped, printable, table } from './terminal';

/** `graft export`: a saved task in another format or type. */
export async function exportFiles(adapter: string, options: ExportOptions): Promise<void> {
  const { out, format, half, bin, backbone } = options;
  const progress = createProgress({ quiet: false });
  const files = await exportTask(adapter, {
    format,
    dtype: half ? 'f16' : 'f32',
    container: bin ? 'bin' : 'safetensors',
    backbone,
    onProgress: progress.download,
  });
  progress.stop();
  await writeFilesAtomic(out, files);
  process.stdout.write(
    table(
      Object.entries(files).map(([name, { length }]) => [
        printable(`${out}/${name}`),
        `${grouped(length)} bytes`,
      ]),
    ),
  );
}
