/**
 * Small texts that are kept between runs and may be lost at any time: a file in the cache directory (Node, Deno), an entry of the
 * Cache API in a browser. Nothing here throws: what cannot be kept is found out anew.
 */
import { cacheDirectory, openStorage } from './cache';
import { nodeModules } from './node';
import { platform } from './platform';
import { writeFileAtomic } from './write';

export interface RememberedText {
  /** `undefined` where there is none, or it cannot be read. */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}

/** `name` is a file name. `directory` is for Node and Deno and defaults to the cache directory. */
export function rememberedText(name: string, directory?: string): RememberedText {
  return platform.hasFileSystem ? fileText(name, directory ?? cacheDirectory()) : storedText(name);
}

function fileText(name: string, directory: string): RememberedText {
  const { fs, path } = nodeModules();
  const file = path.join(directory, name);
  return {
    read: () => fs.readFile(file, 'utf8').catch(() => undefined),
    write: async (text) => {
      try {
        await fs.mkdir(directory, { recursive: true });
        await writeFileAtomic(file, new TextEncoder().encode(text));
      } catch {
        // A full disk or a directory that may not be written to.
      }
    },
  };
}

function storedText(name: string): RememberedText {
  // Never fetched: the Cache API wants a URL for a name.
  const url = `https://graft.invalid/${name}`;
  return {
    read: async () => {
      try {
        return await (await (await openStorage())?.match(url))?.text();
      } catch {
        return undefined;
      }
    },
    write: async (text) => {
      try {
        await (await openStorage())?.put(url, new Response(text));
      } catch {
        // A full or forbidden store.
      }
    },
  };
}
