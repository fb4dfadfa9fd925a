/** The two charts of a task's training: the loss by step, the score on held-out examples by epoch. */
import type { TaskState } from '../engine';
import { Chart } from './chart';
import type { Context } from './context';
import { byId } from './dom';
import type { StepListener } from './events';
import { percent } from './format';
import { LossHistory, type LossPoint } from './loss-history';
import { taskShown } from './store';

export function createCurves({ store }: Context): StepListener {
  const charts = byId('charts', HTMLElement);
  const lossPlace = byId('loss-chart', HTMLElement);
  const lossText = byId('loss-text', HTMLElement);
  const devPlace = byId('dev-chart', HTMLElement);
  const devText = byId('dev-text', HTMLElement);
  const devTitle = byId('dev-title', HTMLElement);
  const lossChart = new Chart(lossPlace, {
    xLabel: 'step',
    isSparse: false,
    format: (loss) => loss.toFixed(2),
    series: [
      { label: 'loss', colour: 'accent-faint', width: 1 },
      { label: 'mean', colour: 'accent', width: 2 },
    ],
  });
  const devChart = new Chart(devPlace, {
    xLabel: 'epoch',
    isSparse: true,
    format: (score) => score.toFixed(2),
    series: [{ label: 'score', colour: 'accent', width: 2 }],
  });
  const history = new LossHistory();

  function drawLoss(): void {
    const { steps, loss, trend } = history.columns();
    const last = trend.at(-1);
    lossText.textContent = last === undefined ? '' : `${last.toFixed(3)} at step ${history.last?.step}`;
    charts.hidden = steps.length === 0;
    lossChart.show([steps, loss, trend]);
  }

  function drawDev({ kind, curves: { dev } }: TaskState): void {
    const isRegression = kind === 'regression';
    devTitle.textContent = isRegression ? 'Held-out correlation' : 'Held-out accuracy';
    const last = dev.at(-1);
    devText.textContent =
      last === undefined
        ? 'after the first epoch'
        : `${isRegression ? last.score.toFixed(3) : percent(last.score)} after epoch ${last.epoch}`;
    devChart.show([dev.map(({ epoch }) => epoch), dev.map(({ score }) => score)]);
  }

  /** For those who cannot see the curves; only at the end of an epoch, since a label that changes may be read out. */
  function describe({ curves: { loss } }: TaskState): void {
    const first = loss[0];
    const last = loss.at(-1);
    const course =
      first === undefined || last === undefined
        ? ''
        : `: from ${first.loss.toFixed(2)} to ${last.loss.toFixed(2)} at step ${last.step}`;
    lossPlace.setAttribute('aria-label', `Training loss by step${course}`);
    devPlace.setAttribute('aria-label', `Score on held-out examples by epoch: ${devText.textContent}`);
  }

  store.subscribe((state, before) => {
    const task = taskShown(state);
    if (task === undefined || task === taskShown(before)) return;
    history.replace(task.curves.loss);
    drawLoss();
    drawDev(task);
    describe(task);
  });

  return {
    steps(taskId: string, points: readonly LossPoint[]): void {
      if (taskId !== store.state.selected) return;
      history.add(points);
      drawLoss();
    },
  };
}
