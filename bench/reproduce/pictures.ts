/** The paper's two figures as SVG, drawn by ECharts without a page. */
import { CustomChart, HeatmapChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent, VisualMapComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Ablation } from './ablation';
import { type Contestant, FULL } from './contestants';
import type { DataSet } from './data';
import { type Chosen, find, median, quantile } from './results';

use([
  CustomChart,
  HeatmapChart,
  LineChart,
  GridComponent,
  LegendComponent,
  TitleComponent,
  VisualMapComponent,
  SVGRenderer,
]);

const FONT = 'system-ui, sans-serif';
const COLOURS = { adapters: '#1d4ed8', layers: '#c2410c', other: '#4d7c0f' };
/** One method over all tasks. */
export interface Point {
  readonly contestant: Contestant;
  /** Median over the tasks. */
  readonly trainedParameters: number;
  /** Score minus that of full fine-tuning: 20th percentile, median, 80th percentile over the tasks. */
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

export function points(
  contestants: readonly Contestant[],
  sets: readonly DataSet[],
  chosen: readonly Chosen[],
): Point[] {
  const score = (set: DataSet, contestant: Contestant) =>
    median(find(chosen, set, contestant).map(({ test }) => test));
  return contestants.flatMap((contestant) => {
    const differences = sets
      .map((set) => score(set, contestant) - score(set, FULL))
      .filter((difference) => !Number.isNaN(difference));
    if (differences.length === 0) return [];
    const sizes = sets.flatMap((set) =>
      find(chosen, set, contestant).map(({ trainedParameters }) => trainedParameters),
    );
    return [
      {
        contestant,
        trainedParameters: median(sizes),
        low: quantile(differences, 0.2),
        middle: median(differences),
        high: quantile(differences, 0.8),
      },
    ];
  });
}

/** Score against trained numbers per task (figures 1 and 3 of the paper). */
export function parametersPicture(all: readonly Point[]): string {
  const families = (['adapters', 'layers', 'other'] as const)
    .map((family) => ({
      family,
      members: all
        .filter(({ contestant }) => contestant.family === family)
        .sort((a, b) => a.trainedParameters - b.trainedParameters),
    }))
    .filter(({ members }) => members.length > 0);
  return draw(760, 420, {
    legend: { top: 8, itemGap: 36, textStyle: { fontFamily: FONT } },
    grid: { left: 70, right: 50, top: 50, bottom: 60 },
    xAxis: { type: 'log', name: 'Trained numbers per task', nameLocation: 'middle', nameGap: 32 },
    yAxis: {
      type: 'value',
      name: 'Score − full fine-tuning',
      nameLocation: 'middle',
      nameGap: 45,
    },
    series: families.flatMap(({ family, members }) => [
      {
        type: 'line',
        name: familyName(family, members),
        color: COLOURS[family],
        symbolSize: 8,
        lineStyle: { width: family === 'other' ? 0 : 2 },
        data: members.map(({ trainedParameters, middle }) => [trainedParameters, middle]),
      },
      {
        type: 'custom',
        color: COLOURS[family],
        silent: true,
        data: members.map(({ trainedParameters, low, high }) => [trainedParameters, low, high]),
        encode: { x: 0, y: [1, 2] },
        renderItem: whisker(COLOURS[family]),
      },
    ]),
  });
}

/** With what is there of it: `Adapters (8, 64)`. */
function familyName(family: Contestant['family'], members: readonly Point[]): string {
  const all = members.map(({ contestant }) => contestant);
  if (family === 'other' || all.length === 1) return all.map(({ title }) => title).join(', ');
  const sizes = all.map(({ method: { options } }) => options.bottleneck ?? options.topK ?? 'all');
  return `${family === 'adapters' ? 'Adapters' : 'Top layers'} (${sizes.join(', ')})`;
}

/** What a custom series is told of an item; the part that is used here. */
interface ItemAPI {
  value(dimension: number): number;
  coord(point: readonly number[]): number[];
}

/** A vertical line from the second to the third number at the first. */
function whisker(colour: string) {
  return (_: unknown, { value, coord }: ItemAPI) => {
    const [x1 = 0, y1 = 0] = coord([value(0), value(1)]);
    const [x2 = 0, y2 = 0] = coord([value(0), value(2)]);
    return {
      type: 'line',
      shape: { x1, y1, x2, y2 },
      style: { stroke: colour, lineWidth: 1.5, opacity: 0.5 },
    };
  };
}

/** What is lost without the adapters of a span of layers (figure 6 of the paper). */
export function ablationPicture(ablations: readonly Ablation[]): string {
  const size = 300;
  const gap = 90;
  const worst = Math.min(0, ...ablations.flatMap(({ cells }) => cells.map(([, , change]) => change)));
  const left = (index: number) => 60 + index * (size + gap);
  return draw(60 + ablations.length * (size + gap) + 30, size + 150, {
    title: ablations.map(({ title }, index) => ({
      text: title,
      left: left(index) + size / 2,
      top: 10,
      textAlign: 'center',
      textStyle: { fontFamily: FONT, fontSize: 15 },
    })),
    grid: ablations.map((_, index) => ({ left: left(index), top: 45, width: size, height: size })),
    xAxis: ablations.map(({ layers }, gridIndex) => ({
      ...axis(layers, gridIndex),
      name: 'Last layer taken out',
      nameGap: 28,
    })),
    yAxis: ablations.map(({ layers }, gridIndex) => ({
      ...axis(layers, gridIndex),
      name: 'First layer taken out',
      nameGap: 30,
    })),
    visualMap: {
      min: worst,
      max: 0,
      calculable: false,
      orient: 'horizontal',
      left: 'center',
      bottom: 8,
      inRange: { color: ['#c2410c', '#fb923c', '#fed7aa', '#fffbf5'] },
      text: ['0', worst.toFixed(0)],
      textStyle: { fontFamily: FONT },
    },
    series: ablations.map(({ cells }, index) => ({
      type: 'heatmap',
      xAxisIndex: index,
      yAxisIndex: index,
      data: cells.map(([first, last, change]) => [last, first, Number(change.toFixed(1))]),
      label: { show: true, fontFamily: FONT, fontSize: 11 },
      itemStyle: { borderColor: '#fff', borderWidth: 1 },
    })),
  });
}

function axis(layers: number, gridIndex: number) {
  const data = Array.from({ length: layers }, (_, layer) => String(layer));
  return { type: 'category', gridIndex, data, nameLocation: 'middle', splitArea: { show: false } };
}

function draw(width: number, height: number, option: EChartsCoreOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      textStyle: { fontFamily: FONT },
      ...option,
    });
    return `${chart.renderToSVGString()}\n`;
  } finally {
    chart.dispose();
  }
}
