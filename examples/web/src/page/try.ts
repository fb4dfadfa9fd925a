/** Predictions as one types. The text stays when another task is chosen, so that one can compare. */
import type { PredictionView } from '../engine';
import { bar } from './bar';
import { asEngineError } from './client';
import type { Context } from './context';
import { byId } from './dom';
import { percent } from './format';
import { describeError } from './notices';
import { taskShown } from './store';
import { debounced } from './throttle';

const TYPING_PAUSE = 80;
/** More labels than this are not shown: the rest have next to no probability. */
const MOST_LABELS = 10;

export function createTry({ engine, store }: Context): void {
  const card = byId('try-card', HTMLElement);
  const text = byId('try-text', HTMLTextAreaElement);
  const textLabel = byId('try-text-label', HTMLElement);
  const pairField = byId('try-pair-field', HTMLElement);
  const pair = byId('try-pair', HTMLTextAreaElement);
  const scores = byId('scores', HTMLElement);
  const predicted = byId('predicted', HTMLElement);

  let isBusy = false;
  /** Whether something has changed since the prediction at hand was asked for. */
  let isStale = false;
  const typing = debounced(TYPING_PAUSE, () => void predict());

  /** One prediction at a time, of the latest text: on a slow device, each key would queue one. */
  async function predict(): Promise<void> {
    isStale = true;
    if (isBusy) return;
    isBusy = true;
    while (isStale) {
      isStale = false;
      await predictOnce();
    }
    isBusy = false;
  }

  async function predictOnce(): Promise<void> {
    const { task } = store;
    const asked = text.value.trim();
    if (task === undefined || card.hidden || asked === '') {
      clear();
      return;
    }
    const second = task.takesPairs ? pair.value : undefined;
    try {
      const found = await engine.predict(task.id, asked, second);
      if (store.state.selected === task.id) show(found, task.labels);
    } catch (reason) {
      scores.replaceChildren();
      predicted.textContent = describeError(asEngineError(reason));
    }
  }

  function clear(): void {
    scores.replaceChildren();
    predicted.textContent = 'Type, and the prediction follows.';
  }

  function show(view: PredictionView, labels: readonly string[]): void {
    const time = `${view.milliseconds.toFixed(view.milliseconds < 10 ? 1 : 0)} ms`;
    if (view.kind === 'regression') {
      scores.replaceChildren();
      predicted.textContent = `${view.value.toPrecision(3)} · ${time}`;
      return;
    }
    // In the order of the labels, so that the bars stay where they are while one types; the most probable where there are many.
    const order = ({ label }: { readonly label: string }) => labels.indexOf(label);
    const kept =
      view.scores.length <= MOST_LABELS
        ? [...view.scores].sort((a, b) => order(a) - order(b))
        : [...view.scores].sort((a, b) => b.score - a.score).slice(0, MOST_LABELS);
    const bars = kept.map(({ label, score }) => {
      const line = bar(label, score, percent(score));
      line.classList.toggle('best', label === view.label);
      return line;
    });
    scores.replaceChildren(...bars);
    predicted.textContent = `${view.label} · ${time}`;
  }

  for (const field of [text, pair]) field.addEventListener('input', typing.request);

  store.subscribe((state, before) => {
    const task = taskShown(state);
    const earlier = taskShown(before);
    if (task === undefined || task === earlier) return;
    // One that trains is tried as it is by then, and anew after each epoch.
    const isTraining = task.status === 'training';
    card.hidden = !task.fits || (task.byteLength === undefined && !isTraining);
    pairField.hidden = !task.takesPairs;
    textLabel.textContent = task.takesPairs ? 'First text' : 'A text';
    // Another task's labels would be misleading until the answer is there.
    if (task.id !== earlier?.id) clear();
    const isOther = task.id !== earlier?.id || task.status !== earlier.status || task.fits !== earlier.fits;
    if ((isOther || isTraining) && !card.hidden) void predict();
  });
}
