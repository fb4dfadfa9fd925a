// Trains a classifier of support messages on a frozen BERT:  node examples/train.mjs BACKBONE
import { readFileSync } from 'node:fs';
import { createRuntime, houlsby, loadBackbone, writeFilesAtomic } from 'graft-ml';

function read(name) {
  const rows = readFileSync(new URL(`data/messages.${name}.tsv`, import.meta.url), 'utf8')
    .trim()
    .split('\n');
  return rows.slice(1).map((row) => ({ text: row.split('\t')[0], label: row.split('\t')[1] }));
}

const runtime = await createRuntime();
const backbone = await loadBackbone(process.argv[2], { runtime });
const labels = ['account', 'billing', 'delivery', 'returns', 'technical'];
const task = await backbone.createTask({ name: 'messages', labels, adapter: houlsby({ bottleneck: 64 }) });
for await (const report of task.train(read('train'), { epochs: 10, learningRate: 1e-3, dev: read('dev') })) {
  if (report.type === 'epoch')
    console.log(`epoch ${report.epoch}: dev accuracy ${report.dev.accuracy.toFixed(3)}`);
}
console.log(await task.predict(['The parcel never came.', 'Why did you bill me twice?']));
await writeFilesAtomic('messages-adapter', await task.save());
runtime.dispose();
