import type { Metrics } from '../index';

/** Replaces control characters, so that a label or text from a file cannot command the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ');
}

/** One JSON object (or array) on a line of stdout. */
export function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Rows as aligned columns, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

function figure(name: string, value: number): [name: string, value: string] {
  return [name, value.toFixed(4)];
}

/** The figures of a task's metrics, for people. */
export function metricFigures(metrics: Metrics): [name: string, value: string][] {
  if ('confusion' in metrics) {
    return [
      figure('accuracy', metrics.accuracy),
      figure('F1', metrics.f1),
      figure('Matthews', metrics.matthews),
    ];
  }
  if ('byType' in metrics) {
    return [
      figure('F1 of entities', metrics.f1),
      figure('precision', metrics.precision),
      figure('recall', metrics.recall),
      figure('accuracy of tokens', metrics.tokenAccuracy),
    ];
  }
  if ('microF1' in metrics) {
    return [
      figure('micro F1', metrics.microF1),
      figure('macro F1', metrics.macroF1),
      figure('exact match', metrics.exactMatch),
    ];
  }
  if ('exactMatch' in metrics) {
    const { withAnswer, withoutAnswer } = metrics;
    return [
      figure('exact match', metrics.exactMatch),
      figure('F1', metrics.f1),
      ...(withAnswer ? [figure('F1 where there is an answer', withAnswer.f1)] : []),
      ...(withoutAnswer ? [figure('where there is none', withoutAnswer.f1)] : []),
    ];
  }
  return [
    figure('Pearson', metrics.pearson),
    figure('Spearman', metrics.spearman),
    figure('mean squared error', metrics.meanSquaredError),
  ];
}

export function metricLine(metrics: Metrics): string {
  return metricFigures(metrics)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/** 12345678 → "12,345,678" */
export function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
}

/** Seconds as people say them: "42.0 s", "3 min 05 s", "2 h 03 min". */
export function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
