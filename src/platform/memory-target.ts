import type { DownloadTarget } from './download';

/** Collects a download in memory. */
export class MemoryTarget implements DownloadTarget {
  length = 0;
  etag: string | undefined;
  #pieces: Uint8Array<ArrayBuffer>[] = [];

  async restart(etag: string | undefined): Promise<void> {
    this.#pieces = [];
    this.length = 0;
    this.etag = etag;
  }

  async append(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#pieces.push(bytes);
    this.length += bytes.length;
  }

  blob(): Blob {
    return new Blob(this.#pieces);
  }
}
