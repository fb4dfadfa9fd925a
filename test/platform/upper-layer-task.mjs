/**
 * A small training whose lower layer is computed each time, then kept on the disk. Whoever runs it passes the library and
 * a source of the two-layer checkpoint.
 */
const subjects = ['love', 'watch', 'end', 'make', 'see', 'never', 'always', 'ever'];
const examples = subjects.flatMap((subject) => [
  { text: `${subject} new more`, label: 'fresh' },
  { text: `${subject} old less`, label: 'stale' },
]);

/** Names of the library's directories in the browser's private file system; nothing elsewhere. */
async function directories() {
  const names = [];
  if (globalThis.navigator?.storage?.getDirectory === undefined) return names;
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys()) if (name.startsWith('graft-')) names.push(name);
  return names;
}

export async function trainUpperLayer(graft, source) {
  const runtime = await graft.createRuntime({ backend: 'wasm' });
  const backbone = await graft.loadBackbone(source, { runtime });
  const losses = {};
  const during = new Set();
  let report;
  for (const prefixCache of ['off', 'disk']) {
    const task = await backbone.createTask({
      labels: ['fresh', 'stale'],
      adapter: graft.houlsby({ bottleneck: 8 }),
      adapterLayers: [1],
      dropout: 0.1,
      maxLength: 32,
    });
    losses[prefixCache] = [];
    const options = { epochs: 3, batchSize: 8, learningRate: 5e-3, dev: examples, prefixCache };
    for await (const item of task.train(examples, options)) {
      if (item.type === 'step') losses[prefixCache].push(item.loss);
      if (item.type === 'epoch') for (const name of await directories()) during.add(name);
      if (item.type === 'done') report = item.prefixCache;
    }
    task.dispose();
  }
  runtime.dispose();
  return { losses, report, during: during.size, after: (await directories()).length };
}
