export interface StaticServerOptions {
  readonly directory: string;
  readonly port?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly prelude?: (path: string) => string;
  readonly onRequest?: (path: string) => void;
}

export interface StaticServer {
  /** Ends with a slash. */
  readonly url: string;
  close(): Promise<void>;
}

export const ISOLATION_HEADERS: Readonly<Record<string, string>>;
export function startStaticServer(options: StaticServerOptions): Promise<StaticServer>;
export function portNumber(text: string): number;
export function serveForever(options: StaticServerOptions): Promise<void>;
