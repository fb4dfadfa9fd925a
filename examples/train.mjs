// Trains a classifier of support messages on a frozen BERT:  node examples/train.mjs [BACKBONE]
import { createRuntime, houlsby, loadBackbone, writeFilesAtomic } from 'graft-ml';
import { readExamples } from './read-examples.mjs';

const [train, dev] = [readExamples('messages.train'), readExamples('messages.dev')];
const labels = [...new Set(train.map(({ label }) => label))].sort();

const runtime = await createRuntime();
const backbone = await loadBackbone(process.argv[2] ?? 'graft-mini', { runtime });
const task = await backbone.createTask({ name: 'messages', labels, adapter: houlsby({ bottleneck: 64 }) });
for await (const report of task.train(train, { epochs: 10, learningRate: 1e-3, dev })) {
  if (report.type === 'epoch')
    console.log(`epoch ${report.epoch}: dev accuracy ${report.dev.accuracy.toFixed(3)}`);
}
console.log(await task.predict(['The parcel never came.', 'Why did you bill me twice?']));
await writeFilesAtomic('messages-adapter', await task.save());
runtime.dispose();
