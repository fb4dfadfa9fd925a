import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface TestServer {
  /** 'http://127.0.0.1:port' */
  readonly url: string;
  /** Of every request so far, oldest first. */
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  close(): Promise<void>;
}

/** A server on this machine for the length of a test. */
export async function serve(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
  const requests: TestServer['requests'] = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', headers: request.headers });
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers as a file server that knows Range, If-Range and If-None-Match. */
export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Uint8Array,
  etag: string,
): void {
  const { range, 'if-range': ifRange, 'if-none-match': ifNoneMatch } = request.headers;
  if (ifNoneMatch === etag) {
    response.writeHead(304, { etag }).end();
    return;
  }
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  if (range !== undefined && ifRange === etag) {
    const contentRange = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    const headers = { etag, 'content-range': contentRange, 'content-length': bytes.length - start };
    response.writeHead(206, headers).end(bytes.subarray(start));
    return;
  }
  response.writeHead(200, { etag, 'content-length': bytes.length }).end(bytes);
}
