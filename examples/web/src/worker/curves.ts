import type { Curves } from '../engine';

/** As many points tell the eye nothing, and make every message longer. Even: they are halved in pairs. */
const MOST_POINTS = 2000;

export const NO_CURVES: Curves = { loss: [], dev: [] };

/** The curves of a run while it goes; a long loss curve is thinned by means of neighbours. */
export class CurveRecorder {
  #loss: Curves['loss'][number][];
  #dev: Curves['dev'][number][];
  /** Steps in a point. */
  #stride: number;
  #sum = 0;
  #count = 0;

  constructor(earlier: Curves) {
    this.#loss = [...earlier.loss];
    this.#dev = [...earlier.dev];
    const [first, second] = earlier.loss;
    this.#stride = first !== undefined && second !== undefined ? second.step - first.step : 1;
  }

  get curves(): Curves {
    return { loss: [...this.#loss], dev: [...this.#dev] };
  }

  /** Drops what lies after `step`: a run that was resumed does it again. */
  rewind(step: number): void {
    this.#loss = this.#loss.filter((point) => point.step <= step);
    this.#dev = this.#dev.filter((point) => point.step <= step);
  }

  addLoss(step: number, loss: number): void {
    this.#sum += loss;
    this.#count += 1;
    if (this.#count < this.#stride) return;
    this.#loss.push({ step, loss: this.#sum / this.#count });
    this.#sum = 0;
    this.#count = 0;
    if (this.#loss.length >= MOST_POINTS) this.#thin();
  }

  addDev(step: number, epoch: number, score: number): void {
    this.#dev.push({ step, epoch, score });
  }

  #thin(): void {
    const halved: Curves['loss'][number][] = [];
    for (let i = 1; i < this.#loss.length; i += 2) {
      const [a, b] = [this.#loss[i - 1], this.#loss[i]];
      if (a !== undefined && b !== undefined) halved.push({ step: b.step, loss: (a.loss + b.loss) / 2 });
    }
    this.#loss = halved;
    this.#stride *= 2;
  }
}
