import type { RawRow } from './table';

/** Tab-separated values as GLUE has them: a quote is a letter like any other, nothing is escaped. Blank lines are skipped. */
export function parseTsv(text: string): RawRow[] {
  const rows: RawRow[] = [];
  let line = 0;
  for (const raw of text.split('\n')) {
    line++;
    const content = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (content !== '') rows.push({ line, cells: content.split('\t') });
  }
  return rows;
}
