/**
 * An engine that computes nothing: for states of the page that a real one seldom gets into. It runs in the page's worker in the
 * engine's place.
 */
import { expose } from 'comlink';
import type {
  AppState,
  BackboneState,
  DataCheck,
  DeviceState,
  Engine,
  EngineEvent,
  ExampleRow,
  TaskResult,
  TaskState,
  TrainOptions,
} from '../../../examples/web/src/engine';

const BACKBONE: BackboneState = {
  description: 'graft-mini',
  fingerprint: 'fake',
  parameters: 3_927_776,
  byteLength: 15_711_104,
  layers: 4,
  hiddenSize: 224,
  maxPositions: 128,
};

const LABELS = ['account', 'billing', 'delivery', 'returns', 'technical'];

const ROWS: readonly ExampleRow[] = Array.from({ length: 60 }, (_, index) => ({
  text: `Example ${index}: where is the parcel that I ordered in week ${index % 7}?`,
  label: LABELS[index % 5] ?? '',
}));

const OPTIONS: TrainOptions = { epochs: 10, batchSize: 16, learningRate: 1e-3, seed: 0, heldOut: 0.2 };

const RESULT: TaskResult = {
  metrics: {
    accuracy: 0.873,
    f1: 0.868,
    matthews: 0.841,
    confusion: LABELS.map((_, actual) =>
      LABELS.map((__, predicted) => (actual === predicted ? 11 : predicted % 2)),
    ),
    loss: 0.42,
    examples: 63,
  },
  mistakes: Array.from({ length: 9 }, (_, row) => ({
    row: 7 * row,
    text: 'I sent the wrong one back and was charged for both, who can help me with that?',
    expected: 'returns',
    predicted: 'billing',
    score: 0.97 - row / 20,
  })),
  baseline: { score: 0.841, seconds: 0.8 },
  seconds: 31.4,
  bestEpoch: 8,
  device: '2 threads, WebAssembly SIMD',
};

function task(id: string, name: string, more: Partial<TaskState>): TaskState {
  return {
    id,
    name,
    kind: 'classification',
    status: 'new',
    fits: true,
    backbone: 'graft-mini',
    labels: LABELS,
    exampleCount: ROWS.length,
    takesPairs: false,
    curves: { loss: [], dev: [] },
    ...more,
  };
}

const CURVES = {
  loss: Array.from({ length: 160 }, (_, step) => ({
    step: step + 1,
    loss: 0.25 + 1.4 * Math.exp(-step / 45) + 0.18 * Math.sin(step * 2.4) * Math.exp(-step / 90),
  })),
  dev: Array.from({ length: 10 }, (_, epoch) => ({
    step: 16 * (epoch + 1),
    epoch: epoch + 1,
    score: 0.88 - 0.5 * Math.exp(-epoch / 2),
  })),
};

const TRAINED = {
  byteLength: 312_400,
  trainableParameters: 77_825,
  options: OPTIONS,
  curves: CURVES,
  result: RESULT,
};

const TASKS: readonly TaskState[] = [
  task('messages', 'Messages to a shop', { status: 'trained', ...TRAINED }),
  task('urgency', 'How urgent', {
    status: 'paused',
    options: OPTIONS,
    progress: {
      phase: 'training',
      step: 70,
      totalSteps: 160,
      epoch: 5,
      examplesPerSecond: 61.2,
      secondsLeft: 21,
    },
    curves: { loss: CURVES.loss.slice(0, 70), dev: CURVES.dev.slice(0, 4) },
  }),
  task('draft', 'A draft', {}),
  task('other', 'On a larger backbone', {
    status: 'trained',
    ...TRAINED,
    fits: false,
    backbone: 'all-MiniLM-L6-v2',
    note: 'The storage is full: what was trained last is not kept. Download the adapter, or delete a task.',
  }),
];

const DEVICE: DeviceState = {
  choice: 'auto',
  backend: 'wasm',
  name: '2 threads, WebAssembly SIMD',
  note: 'WebGPU computes a kernel wrongly on this device (attention_backward), so the CPU does the work.',
};

function check(examples: readonly ExampleRow[]): DataCheck {
  const counts = new Map<string, number>();
  for (const { label } of examples) counts.set(label, (counts.get(label) ?? 0) + 1);
  return {
    kind: 'classification',
    examples: examples.length,
    classes: [...counts].map(([label, count]) => ({ label, count })).sort((a, b) => b.count - a.count),
    duplicates: examples.length > 20 ? [3, 14] : [],
    contradictions: examples.length > 20 ? [5] : [],
    tooLong: examples.length > 20 ? [9] : [],
    maxLength: 128,
    problems: examples.length < 10 ? [{ message: 'Give at least 10 examples.' }] : [],
    warnings: examples.length > 20 ? [{ message: 'The same text has two labels.', rows: [5, 17] }] : [],
  };
}

let tell: (event: EngineEvent) => void = () => {};
const tasks = new Map(TASKS.map((one) => [one.id, one]));
const rows = new Map(TASKS.map(({ id }) => [id, [...ROWS]]));

function put(id: string, change: Partial<TaskState>): TaskState {
  const changed = { ...(tasks.get(id) ?? task(id, 'A task', {})), ...change };
  tasks.set(id, changed);
  tell({ type: 'task', task: changed });
  return changed;
}

const engine: Engine = {
  async open(listener): Promise<AppState> {
    tell = listener;
    return {
      device: DEVICE,
      backbone: BACKBONE,
      backboneChoice: { kind: 'embedded' },
      tasks: [...tasks.values()],
      storage: {
        available: true,
        usedBytes: 9_412_000,
        note: 'Nearly full: the browser gives this page 12 MB.',
      },
    };
  },
  chooseDevice: async (choice) => ({ ...DEVICE, choice }),
  async loadBackbone() {
    const error = {
      name: 'FileFormatError',
      message: 'model.safetensors: its header is cut off at byte 812',
      hint: 'Download the file again',
    };
    tell({ type: 'backbone-failed', error });
    throw error;
  },
  cancelLoading: async () => {},
  readTable: async () => ({
    tableId: 'table',
    format: 'csv',
    columns: ['text', 'label'],
    preview: ROWS.slice(0, 5).map(({ text, label }) => [text, label]),
    rowCount: ROWS.length,
    guess: { text: 'text', label: 'label' },
  }),
  applyColumns: async () => ({ examples: ROWS, check: check(ROWS) }),
  async createTask({ name, kind }) {
    return put(`task-${tasks.size}`, { name, kind, exampleCount: 0, labels: [] });
  },
  renameTask: async (id, name) => put(id, { name }),
  async removeTask(id) {
    tasks.delete(id);
    tell({ type: 'task-removed', taskId: id });
  },
  examplesOf: async (id) => rows.get(id) ?? [],
  async setExamples(id, examples) {
    rows.set(id, [...examples]);
    put(id, { exampleCount: examples.length });
    return check(examples);
  },
  checkExamples: async (_kind, examples) => check(examples),
  async train(id, options) {
    put(id, { status: 'training', options });
    // Another run, another result: one that stays the same would be that of a run that was cancelled.
    const result = { ...RESULT, seconds: 31 };
    return put(id, { status: 'trained', ...TRAINED, result, options });
  },
  pause: async () => {},
  cancel: async (id) => void put(id, { status: 'new' }),
  async predict(_id, text) {
    const weights = LABELS.map((_, index) => Math.exp(((text.length * (index + 3)) % 11) / 3));
    const sum = weights.reduce((a, b) => a + b, 0);
    const scores = LABELS.map((label, index) => ({ label, score: (weights[index] ?? 0) / sum }));
    const best = scores.reduce((a, b) => (b.score > a.score ? b : a));
    return { kind: 'classification', label: best.label, scores, milliseconds: 7.3 };
  },
  download: async () => ({ fileName: 'fake.zip', zip: new Blob(['fake']) }),
  upload: async () => put('uploaded', { name: 'Uploaded', status: 'trained', ...TRAINED }),
};

expose(engine);
