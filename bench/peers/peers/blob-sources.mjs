/** Browsers start workers from blobs of source text. Node cannot; these keep the text of each blob at hand. */

class SourceBlob extends Blob {
  constructor(parts = [], options = {}) {
    super(parts, options);
    this.source = parts.every((part) => typeof part === 'string') ? parts.join('') : undefined;
  }
}

const sources = new Map();

/** Puts the text of blobs within reach of `sourceOf`. */
export function recordBlobSources() {
  globalThis.Blob = SourceBlob;
  const create = URL.createObjectURL;
  URL.createObjectURL = (blob) => {
    const url = create.call(URL, blob);
    sources.set(url, blob.source);
    return url;
  };
}

/** The text of a blob or of a blob's URL. */
export function sourceOf(blobOrUrl) {
  const source = blobOrUrl instanceof SourceBlob ? blobOrUrl.source : sources.get(blobOrUrl);
  if (source === undefined) throw new Error('a worker of something other than a blob of text');
  return source;
}
