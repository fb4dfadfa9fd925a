// Reads one of the example data sets: a header line, then a text, a tab and its label.
import { readFileSync } from 'node:fs';

/** `name` as in examples/data: 'messages.train', 'messages.dev', … */
export function readExamples(name) {
  const file = new URL(`data/${name}.tsv`, import.meta.url);
  const [, ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n');
  return rows.map((row) => {
    const [text, label] = row.split('\t');
    return { text, label };
  });
}
