/** The results as a table for people and as an object for programs. */
import { arch, cpus, platform } from 'node:os';
import type { Result, Row } from './compare';

export function table({ comparison, rows, missing, otherLoad }: Result): string {
  const { title, rate } = comparison;
  const header = ['', rate?.unit ?? '', 'ms', '× time', 'MiB', 'differs', ''];
  const lines = [header, ...rows.map(cells)];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const format = (line: readonly string[]) =>
    line
      .map((cell, column) => {
        const isText = column === 0 || column === line.length - 1;
        return isText ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
      })
      .join('  ')
      .trimEnd();
  return [
    title,
    ...lines.map((line) => `  ${format(line)}`),
    ...missing.map(({ name, reason }) => `  ${name}: not measured: ${reason.split('\n')[0]}`),
    ...(otherLoad === undefined
      ? []
      : [`  Other programs used ${(100 * otherLoad).toFixed(0)}% of the machine meanwhile.`]),
  ].join('\n');
}

function cells({ name, rate, medianMilliseconds, ratio, peakBytes, difference, setup, milliseconds }: Row) {
  return [
    name,
    rate === undefined ? '' : threeDigits(rate),
    threeDigits(medianMilliseconds),
    ratio.toFixed(2),
    (peakBytes / 2 ** 20).toFixed(0),
    difference === 0 ? '0' : difference.toExponential(0),
    `${setup}; median of ${milliseconds.length}`,
  ];
}

function threeDigits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function asJSON(results: readonly Result[]) {
  return {
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      threads: cpus().length,
      platform: `${platform()} ${arch()}`,
      node: process.version,
    },
    comparisons: results.map(({ comparison, rows, missing, otherLoad }) => ({
      name: comparison.name,
      title: comparison.title,
      unit: comparison.rate?.unit ?? 'ms',
      tolerance: comparison.tolerance,
      otherLoad,
      rows,
      missing,
    })),
  };
}
