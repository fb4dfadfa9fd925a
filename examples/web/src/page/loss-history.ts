export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

/** More points than this are only weight: a chart is narrower than that. */
const MOST_POINTS = 500;

/** The losses of a run, as the engine kept them and as they come in. */
export class LossHistory {
  #points: LossPoint[] = [];

  get last(): LossPoint | undefined {
    return this.#points.at(-1);
  }

  replace(points: readonly LossPoint[]): void {
    this.#points = [...points];
  }

  /** A run that was paused goes on from its last kept state: steps that come again replace those that came before. */
  add(points: readonly LossPoint[]): void {
    for (const point of points) {
      while ((this.last?.step ?? 0) >= point.step) this.#points.pop();
      this.#points.push(point);
    }
  }

  /** Columns for a chart: each point is the mean of as many steps as keep their number below 500; `trend` is the mean of a window. */
  columns(): { readonly steps: number[]; readonly loss: number[]; readonly trend: number[] } {
    const size = Math.max(1, Math.ceil(this.#points.length / MOST_POINTS));
    const window = Math.max(5, Math.round(this.#points.length / 12));
    const sums = [0];
    for (const { loss } of this.#points) sums.push((sums.at(-1) ?? 0) + loss);
    const mean = (from: number, to: number) => ((sums[to] ?? 0) - (sums[from] ?? 0)) / (to - from);
    const steps: number[] = [];
    const loss: number[] = [];
    const trend: number[] = [];
    for (let start = 0; start < this.#points.length; start += size) {
      const end = Math.min(start + size, this.#points.length);
      steps.push(this.#points[end - 1]?.step ?? end);
      loss.push(mean(start, end));
      trend.push(mean(Math.max(0, end - window), end));
    }
    return { steps, loss, trend };
  }
}
