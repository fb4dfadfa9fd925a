import { type BenchDocument, type Machine, showCell, type Table } from './table';

/** A table in columns of equal width: words to the left, numbers to the right. */
export function tableText({ title, notes, columns, rows }: Table): string {
  const shown = rows.map((row) =>
    columns.map((column) => ({
      text: showCell(row[column.key], column),
      isNumber: typeof row[column.key] === 'number',
    })),
  );
  const widths = columns.map(({ label }, index) =>
    Math.max(label.length, ...shown.map((cells) => cells[index]?.text.length ?? 0)),
  );
  const isNumeric = columns.map((_, index) => shown.some((cells) => cells[index]?.isNumber));
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) =>
        isNumeric[index] ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [
    title,
    ...notes.map((note) => `  ${note}`),
    line(columns.map(({ label }) => label)),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...shown.map((cells) => line(cells.map(({ text }) => text))),
    '',
  ].join('\n');
}

export function machineText({ cpu, cores, runtime, platform, backend, device, date }: Machine): string {
  return `${cpu}, ${cores} cores; ${runtime} on ${platform}; ${backend}: ${device}; ${date}\n`;
}

export function documentText({ machine, tables }: BenchDocument): string {
  return [machineText(machine), ...tables.map(tableText)].join('\n');
}
