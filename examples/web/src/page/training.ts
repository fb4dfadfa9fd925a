/** The settings of a training, its buttons, and how far it is. */
import type { TaskState, TrainOptions, TrainProgress } from '../engine';
import type { Context } from './context';
import { byId } from './dom';
import type { ShownExamples } from './examples-editor';
import { duration, grouped, percent, timeLeft } from './format';
import { taskInTraining, taskShown } from './store';

/** For a small backbone and some hundred examples; the paper's lower learning rate is for larger ones. */
const DEFAULTS: TrainOptions = { epochs: 10, batchSize: 16, learningRate: 1e-3, heldOut: 0.2, seed: 0 };

const PHASES: Readonly<Record<TrainProgress['phase'], string>> = {
  preparing: 'Preparing',
  training: 'Training',
  evaluating: 'Testing on the held-out examples',
  comparing: 'Comparing with the frozen backbone alone',
};

export function createTraining(
  { engine, store, notices, announcer }: Context,
  examples: ShownExamples,
): void {
  const form = byId('train-form', HTMLFormElement);
  const settings = byId('train-settings', HTMLFieldSetElement);
  const train = byId('train', HTMLButtonElement);
  const pause = byId('pause', HTMLButtonElement);
  const cancel = byId('cancel', HTMLButtonElement);
  const blocked = byId('train-blocked', HTMLElement);
  const progressPart = byId('train-progress', HTMLElement);
  const bar = byId('progress', HTMLProgressElement);
  const text = byId('progress-text', HTMLElement);

  const field = (name: keyof TrainOptions) => {
    const found = form.elements.namedItem(name);
    if (!(found instanceof HTMLInputElement)) throw new TypeError(`the form has no field ${name}`);
    return found;
  };

  function fill({ options = DEFAULTS }: TaskState): void {
    for (const name of ['epochs', 'batchSize', 'learningRate', 'seed'] as const) {
      field(name).value = String(options[name]);
    }
    field('heldOut').value = String(Math.round(100 * options.heldOut));
  }

  function read(): TrainOptions {
    return {
      epochs: field('epochs').valueAsNumber,
      batchSize: field('batchSize').valueAsNumber,
      learningRate: field('learningRate').valueAsNumber,
      seed: field('seed').valueAsNumber,
      heldOut: field('heldOut').valueAsNumber / 100,
    };
  }

  function showButtons(task: TaskState): void {
    const { status } = task;
    const other = taskInTraining(store.state);
    const isElsewhere = other !== undefined && other.id !== task.id;
    const labels = { new: 'Train', trained: 'Train again', paused: 'Resume', training: 'Training…' };
    train.textContent = labels[status];
    const { backbone, check } = store.state;
    // A paused run has its examples already.
    const isBlocked = status !== 'paused' && (check === undefined || check.problems.length > 0);
    train.disabled =
      status === 'training' || isElsewhere || isBlocked || !task.fits || backbone === undefined;
    settings.disabled = status === 'training' || status === 'paused';
    pause.hidden = status !== 'training';
    cancel.hidden = status !== 'training' && status !== 'paused';
    if (isElsewhere) blocked.textContent = `“${other.name}” is training. One task trains at a time.`;
    else if (isBlocked && check !== undefined)
      blocked.textContent = 'The examples need a correction first, see below.';
    else blocked.textContent = '';
  }

  function showProgress(task: TaskState, progress: TrainProgress | undefined): void {
    const isUnderWay = task.status === 'training' || task.status === 'paused';
    progressPart.hidden = !isUnderWay || progress === undefined;
    if (!isUnderWay || progress === undefined) return;
    bar.value = progress.step / Math.max(1, progress.totalSteps);
    const said = task.status === 'paused' ? describePause(progress) : describe(progress, task.options);
    text.textContent = said;
    if (task.status === 'training') announcer.progress(`${task.name}: ${said}`);
  }

  function announceEnd(task: TaskState, before: TaskState | undefined): void {
    if (before?.status !== 'training' || task.status === 'training') return;
    // A run that was cancelled leaves the result that was there before.
    const isNew = JSON.stringify(task.result) !== JSON.stringify(before.result);
    if (task.status === 'paused') announcer.say(`The training of ${task.name} is paused.`);
    else if (task.result !== undefined && isNew) {
      const { metrics, seconds } = task.result;
      const score =
        'accuracy' in metrics
          ? `accuracy ${percent(metrics.accuracy)}`
          : `correlation ${metrics.pearson.toFixed(2)}`;
      announcer.say(`${task.name} is trained: ${score} on held-out examples, in ${duration(seconds)}.`);
    } else announcer.say(`The training of ${task.name} is cancelled.`);
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const { task } = store;
    if (task === undefined) return;
    train.disabled = true;
    announcer.say(`${task.name}: training starts.`);
    const options = task.status === 'paused' && task.options !== undefined ? task.options : read();
    void notices
      .attempt(async () => {
        await examples.settled();
        return engine.train(task.id, options);
      })
      .then((ended) => {
        if (ended !== undefined) store.putTask(ended);
        const current = store.task;
        if (current !== undefined) showButtons(current);
      });
  });
  pause.addEventListener('click', () => {
    const { selected } = store.state;
    if (selected !== undefined) void notices.attempt(() => engine.pause(selected));
  });
  cancel.addEventListener('click', () => {
    const { selected } = store.state;
    if (selected !== undefined) void notices.attempt(() => engine.cancel(selected));
  });

  store.subscribe((state, before) => {
    for (const task of state.tasks.values()) {
      const earlier = before.tasks.get(task.id);
      if (earlier !== task) announceEnd(task, earlier);
    }
    const task = taskShown(state);
    if (task === undefined) return;
    const isOther = task.id !== before.selected || taskShown(before) === undefined;
    if (isOther || task.options !== taskShown(before)?.options) {
      if (isOther || task.status === 'training' || task.status === 'paused') fill(task);
    }
    if (
      isOther ||
      state.tasks !== before.tasks ||
      state.backbone !== before.backbone ||
      state.check !== before.check
    ) {
      showButtons(task);
    }
    if (isOther || state.tasks !== before.tasks || state.progress !== before.progress) {
      showProgress(task, state.progress.get(task.id));
    }
  });
}

function describe(
  { phase, step, totalSteps, epoch, examplesPerSecond, secondsLeft }: TrainProgress,
  options: TrainOptions | undefined,
): string {
  const parts = [PHASES[phase]];
  if (phase === 'training' || phase === 'evaluating') {
    parts.push(options === undefined ? `epoch ${epoch}` : `epoch ${epoch} of ${options.epochs}`);
    parts.push(`step ${grouped(step)} of ${grouped(totalSteps)}`);
  }
  if (phase === 'training' && examplesPerSecond > 0) {
    parts.push(`${examplesPerSecond.toFixed(examplesPerSecond < 10 ? 1 : 0)} examples/s`);
  }
  if (secondsLeft !== undefined) parts.push(timeLeft(secondsLeft));
  return parts.join(' · ');
}

function describePause({ step, totalSteps }: TrainProgress): string {
  return `Paused at step ${grouped(step)} of ${grouped(totalSteps)}. It is kept, also when this page is closed.`;
}
