/** A small file server for pages on this machine; the benchmark's page, the web application and their tests use it. */
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, resolve, sep } from 'node:path';
import { InvalidArgumentError } from 'commander';

/** Cross-origin isolation: threads and a fine clock need it. */
export const ISOLATION_HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
};

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.tsv': 'text/tab-separated-values; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * Serves `directory` on `port` (0: any free one) with `headers`; the server's `url` ends with a slash. Files are checked for a
 * newer version at each request. For tests, `prelude(path)` may give text to put in front of a file, and `onRequest` is told every path.
 */
export async function startStaticServer({
  directory,
  port = 0,
  headers = ISOLATION_HEADERS,
  prelude = () => '',
  onRequest = () => {},
}) {
  const server = createServer((request, response) => {
    onRequest(request.url);
    answer(request, response, { root: resolve(directory), headers, prelude }).catch((error) =>
      response.writeHead(500).end(String(error)),
    );
  });
  await new Promise((started, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', started);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

async function answer(request, response, { root, headers, prelude }) {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const path = normalize(join(root, decodeURIComponent(pathname)));
  const isBelow = path === root || path.startsWith(root + sep);
  const found = isBelow ? await stat(path).catch(() => undefined) : undefined;
  if (found === undefined) {
    response.writeHead(404, headers).end();
    return;
  }
  if (found.isDirectory() && !pathname.endsWith('/')) {
    response.writeHead(301, { ...headers, location: `${pathname}/` }).end();
    return;
  }
  const file = found.isDirectory() ? join(path, 'index.html') : path;
  const content = await readFile(file).catch(() => undefined);
  if (content === undefined) {
    response.writeHead(404, headers).end();
    return;
  }
  const front = Buffer.from(prelude(pathname));
  const { mtimeMs, size } = await stat(file);
  const etag = `"${mtimeMs.toString(36)}-${size.toString(36)}-${front.length.toString(36)}"`;
  const common = { ...headers, etag, 'cache-control': 'no-cache' };
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, common).end();
    return;
  }
  response.writeHead(200, {
    ...common,
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-length': front.length + content.length,
  });
  response.end(Buffer.concat([front, content]));
}

/** For commander: a port's number. */
export function portNumber(text) {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a whole number up to 65535; 0 takes any free port.');
}

/** Serves until the process is stopped, and prints where; a port that is taken ends the process with a hint. */
export async function serveForever(options) {
  try {
    const { url } = await startStaticServer(options);
    console.log(url);
  } catch (error) {
    console.error(
      error.code === 'EADDRINUSE'
        ? `Port ${options.port} is taken: choose another with --port.`
        : error.message,
    );
    process.exit(1);
  }
}
