import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './package';

export interface CodeBlock {
  /** The word after the fence: 'js', 'sh', …; '' where there is none. */
  readonly language: string;
  /** What follows it: 'no-run' of a piece that is no program. */
  readonly note: string;
  readonly code: string;
}

/** Fenced blocks of a Markdown text, in order. */
export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(\w*)[ ]*(.*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', note = '', code = '']) => ({
      language,
      note,
      code,
    }),
  );
}

/** A page of docs/guide. */
export function guidePage(name: string): string {
  return readFileSync(join(repository, 'docs', 'guide', `${name}.md`), 'utf8');
}
