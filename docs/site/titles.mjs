/**
 * TypeDoc plugin: a page's title is its first heading, and its group follows from its folder, so that the pages need no front
 * matter, which other readers of Markdown would show.
 */
import { Converter } from 'typedoc';

function groupOf(path) {
  if (path.includes('/guide/')) return 'Guide';
  return /\/derivations(\/|\.md)/.test(path) ? 'Derivations' : 'Background';
}

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, page) => {
    const text = page.content.map((part) => part.text).join('');
    const heading = /^#\s+(.+)$/m.exec(text)?.[1];
    if (heading !== undefined) page.name = heading.replaceAll('`', '');
    page.frontmatter.group = groupOf(page.project.files.getReflectionPath(page) ?? '');
  });
}
