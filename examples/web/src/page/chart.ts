import uPlot from 'uplot';
import { element } from './dom';

const HEIGHT = 200;
const FONT = '12px system-ui, sans-serif';

export interface ChartOptions {
  readonly xLabel: string;
  readonly series: readonly ChartSeries[];
  /** Where a curve has few points, they are shown; and the x axis gets half a step of room at each end. */
  readonly isSparse: boolean;
  readonly format: (value: number) => string;
}

export interface ChartSeries {
  readonly label: string;
  /** A custom property of the style sheet, without its dashes. */
  readonly colour: string;
  readonly width: number;
}

/** One chart in `place`, as wide as that is. Its colours are the style sheet's and change with it. */
export class Chart {
  readonly #place: HTMLElement;
  readonly #options: ChartOptions;
  #plot: uPlot | undefined;
  #data: uPlot.AlignedData = [[]];

  constructor(place: HTMLElement, options: ChartOptions) {
    this.#place = place;
    this.#options = options;
    new ResizeObserver(() => this.#fit()).observe(place);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
      this.#plot?.redraw(false, true),
    );
  }

  show(data: uPlot.AlignedData): void {
    this.#data = data;
    if (this.#plot === undefined) this.#fit();
    else this.#plot.setData(data);
  }

  /** Drawn only once there is room: a hidden chart has no width. */
  #fit(): void {
    const width = this.#place.clientWidth;
    if (width === 0) return;
    if (this.#plot === undefined) this.#plot = this.#draw(width);
    else if (this.#plot.width !== width) this.#plot.setSize({ width, height: HEIGHT });
  }

  #draw(width: number): uPlot {
    const { xLabel, series, isSparse, format } = this.#options;
    // Read at every drawing, so that a change between light and dark only needs a redraw.
    const colour = (name: string) => () =>
      getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    const axis = {
      font: FONT,
      stroke: colour('quiet'),
      grid: { stroke: colour('line'), width: 1 },
      ticks: { stroke: colour('line'), width: 1, size: 5 },
    };
    const legend = element('div', {});
    const plot = new uPlot(
      {
        width,
        height: HEIGHT,
        cursor: { y: false, drag: { x: false, y: false } },
        legend: { mount: (_plot, made) => legend.append(made) },
        scales: {
          x: {
            time: false,
            ...(isSparse && {
              range: (_plot: uPlot, least: number, most: number): uPlot.Range.MinMax => [
                least - 0.5,
                most + 0.5,
              ],
            }),
          },
        },
        axes: [
          { ...axis, label: xLabel, labelFont: FONT, labelSize: 18, size: 32, incrs: WHOLE_NUMBERS },
          { ...axis, size: 52, values: (_plot, ticks) => ticks.map(format) },
        ],
        series: [
          { label: xLabel },
          ...series.map(({ label, colour: name, width: lineWidth }) => ({
            label,
            stroke: colour(name),
            width: lineWidth,
            value: (_plot: uPlot, value: number | null) => (value === null ? '–' : format(value)),
            points: { show: isSparse, size: 7, fill: colour('surface') },
          })),
        ],
      },
      this.#data,
      this.#place,
    );
    this.#place.append(legend);
    return plot;
  }
}

/** Steps and epochs have no halves. */
const WHOLE_NUMBERS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5];
