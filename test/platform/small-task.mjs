/**
 * The same small training on every platform, with the built package: 24 steps on a two-layer BERT with random weights.
 * Whoever runs it passes the library, a source of the checkpoint, and the backend's name.
 */
const subjects = ['love', 'watch', 'end', 'make', 'see', 'never', 'always', 'ever'];

/** Which of two words a text holds is all that there is to learn. */
function examples() {
  return subjects.flatMap((subject, i) => [
    { text: `${subject} new more ${'very '.repeat(i)}`, label: 'fresh' },
    { text: `${subject} old less ${'very '.repeat(i)}`, label: 'stale' },
  ]);
}

export async function trainSmallTask(graft, source, backend) {
  const runtime = await graft.createRuntime({ backend });
  const backbone = await graft.loadBackbone(source, { runtime });
  const task = await backbone.createTask({
    name: 'small',
    labels: ['fresh', 'stale'],
    adapter: graft.houlsby({ bottleneck: 8 }),
    dropout: 0.1,
    maxLength: 32,
    seed: 7,
  });
  const losses = [];
  for await (const report of task.train(examples(), {
    epochs: 12,
    batchSize: 8,
    learningRate: 5e-3,
    seed: 7,
    dev: examples(),
  })) {
    if (report.type === 'step') losses.push(report.loss);
  }
  const { accuracy } = await task.evaluate(examples());
  const [prediction] = await task.predict(['watch old less']);
  const files = Object.keys(await task.save()).sort();
  const { device } = runtime;
  runtime.dispose();
  return {
    losses,
    accuracy,
    prediction: prediction.label,
    files,
    device: device.name,
    note: device.note,
  };
}
