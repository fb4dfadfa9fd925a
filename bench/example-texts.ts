import { readFileSync } from 'node:fs';

const FILE = 'examples/data/messages.train.tsv';

/** The short messages in examples/data, with their topics. */
export function exampleMessages(): { readonly text: string; readonly label: string }[] {
  return readFileSync(FILE, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [text = '', label = ''] = line.split('\t');
      return { text, label };
    });
}
