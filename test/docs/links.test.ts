/** Relative links in Markdown lead somewhere: to a file, and to a heading where they name one. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from '../support/package';

const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: repository,
  encoding: 'utf8',
})
  .trim()
  .split('\n');

/** Without code, in which brackets mean something else. */
const textOf = (page: string) =>
  readFileSync(join(repository, page), 'utf8')
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, '');

/** As GitHub and TypeDoc make them of headings. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

it('finds pages', () => {
  expect(pages).toContain('README.md');
  expect(pages.length).toBeGreaterThan(20);
});

it.each(pages)('%s', (page) => {
  const links = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  for (const link of links.filter((target) => !/^[a-z]+:/.test(target))) {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : normalize(join(dirname(page), path));
    expect(existsSync(join(repository, target)), `${link} in ${page}`).toBe(true);
    if (anchor === undefined) continue;
    const headings = [...readFileSync(join(repository, target), 'utf8').matchAll(/^#+ (.*)$/gm)];
    const anchors = headings.map(([, heading = '']) => anchorOf(heading));
    expect(anchors, `${link} in ${page}`).toContain(anchor);
  }
});
