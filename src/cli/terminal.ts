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

/** The figures of a task's metrics, for people. */
export function metricFigures(metrics: Metrics): [name: string, value: string][] {
  if ('confusion' in metrics) {
    return [
      ['accuracy', metrics.accuracy.toFixed(4)],
      ['F1', metrics.f1.toFixed(4)],
      ['Matthews', metrics.matthews.toFixed(4)],
    ];
  }
  if ('byType' in metrics) {
    return [
      ['F1 of entities', metrics.f1.toFixed(4)],
      ['precision', metrics.precision.toFixed(4)],
      ['recall', metrics.recall.toFixed(4)],
      ['accuracy of tokens', metrics.tokenAccuracy.toFixed(4)],
    ];
  }
  if ('microF1' in metrics) {
    return [
      ['micro F1', metrics.microF1.toFixed(4)],
      ['macro F1', metrics.macroF1.toFixed(4)],
      ['exact match', metrics.exactMatch.toFixed(4)],
    ];
  }
  if ('exactMatch' in metrics) {
    return [
      ['exact match', metrics.exactMatch.toFixed(4)],
      ['F1', metrics.f1.toFixed(4)],
    ];
  }
  return [
    ['Pearson', metrics.pearson.toFixed(4)],
    ['Spearman', metrics.spearman.toFixed(4)],
    ['mean squared error', metrics.meanSquaredError.toFixed(4)],
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
