import {
  DataError,
  FileAccessError,
  FileFormatError,
  type FileProgress,
  hubEndpoint,
  isHubId,
  OptionError,
  resolveSource,
} from '../../index';
import type { DataFile } from './data-file';
import { entriesOf, textOf } from './values';

/** Names a data set of the Hugging Face hub: `hub:owner/name`. */
const PREFIX = 'hub:';

/** Which part of a data set of the hub is read, and how a download is watched. */
export interface HubDataOptions {
  /** The configuration, which the hub's pages call subset. Default: the only one, or `default`. */
  readonly config?: string | undefined;
  /** `train`, `validation`, …, as the data set calls them. */
  readonly split: string;
  readonly onProgress?: ((progress: FileProgress) => void) | undefined;
  /** Stops a download; the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Whether `source` names a data set of the hub, and no file. */
export function isHubData(source: string): boolean {
  return source.startsWith(PREFIX);
}

/** Above any list of files: it bounds memory. */
const LARGEST_LIST = 2 ** 26;
/** What one Uint8Array surely holds. */
const LARGEST_FILE = 2 ** 31 - 1;

/**
 * The Parquet files of a split, one after the other, each downloaded when it is its turn and kept in the cache. The hub converts
 * every public data set to Parquet and lists the files at `/api/datasets/ID/parquet` as `{config: {split: [URL]}}`
 * (huggingface.co/docs/dataset-viewer/parquet, "Using the Hugging Face Hub API").
 * @throws OptionError for a source, configuration or split that there is not (it names those there are); FileAccessError where the hub
 * has no such data set or cannot be reached; FileFormatError for a list of another kind.
 */
export async function* hubDataFiles(source: string, options: HubDataOptions): AsyncGenerator<DataFile> {
  const id = source.slice(PREFIX.length);
  if (!isHubId(id)) {
    throw new OptionError('source', `"${source}" names no data set`, 'Write it as hub:organisation/name');
  }
  const { config, split, urls } = chooseSplit(await readList(id, options), id, options);
  for (const [index, url] of urls.entries()) {
    const shown = { file: `${id} ${split} ${index + 1}/${urls.length}` };
    const bytes = await fetchBytes(url, LARGEST_FILE, {
      ...options,
      onProgress: (progress) => options.onProgress?.({ ...progress, ...shown }),
    });
    if (bytes === undefined)
      throw new FileAccessError(url.href, 'the hub lists it and has it not', 'Try again later');
    // Its end tells the format.
    yield { name: `${source} ${config}/${split}/${index}.parquet`, bytes };
  }
}

/** The files' URLs by configuration and split. */
type FileList = ReadonlyMap<string, ReadonlyMap<string, readonly URL[]>>;

async function readList(id: string, { signal }: HubDataOptions): Promise<FileList> {
  const url = hubUrl(`/api/datasets/${id}/parquet`);
  const bytes = await fetchBytes(url, LARGEST_LIST, { signal });
  if (bytes === undefined) {
    throw new FileAccessError(
      `hub:${id}`,
      'the hub has no such data set, or none in Parquet',
      'Is its name right?',
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FileFormatError(url.href, undefined, 'is not JSON', undefined, { cause });
  }
  const list = new Map<string, ReadonlyMap<string, readonly URL[]>>();
  for (const [config, splits] of entriesOf(value) ?? []) {
    const urls = [...(entriesOf(splits) ?? [])].map(([split, files]): [string, URL[]] => [
      split,
      Array.isArray(files) ? files.map((file) => fileUrl(file, url)) : [],
    ]);
    list.set(config, new Map(urls.filter(([, files]) => files.length > 0)));
  }
  return list;
}

/** Those under the hub's API are fetched from where the list came from: a mirror hands on the hub's own addresses. */
function fileUrl(value: unknown, list: URL): URL {
  const text = textOf(value) ?? '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new FileFormatError(
      list.href,
      undefined,
      `lists ${JSON.stringify(value)}, which is no address of a file`,
    );
  }
  const start = url.pathname.indexOf('/api/datasets/');
  return start === -1 ? url : hubUrl(url.pathname.slice(start));
}

function hubUrl(path: string): URL {
  const text = `${hubEndpoint()}${path}`;
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return new URL(text);
  throw new OptionError('HF_ENDPOINT', `"${hubEndpoint()}" is not an http or https URL`);
}

function chooseSplit(list: FileList, id: string, { config, split }: HubDataOptions) {
  const configs = [...list.keys()];
  const chosen = config ?? (configs.length === 1 ? configs[0] : 'default');
  const splits = chosen === undefined ? undefined : list.get(chosen);
  if (chosen === undefined || splits === undefined) {
    throw new OptionError(
      '--config',
      config === undefined
        ? `hub:${id} has several configurations`
        : `hub:${id} has no configuration "${config}"`,
      configs.length === 0 ? 'The hub lists none' : `Choose ${inWords(configs)}`,
    );
  }
  const urls = splits.get(split);
  if (urls === undefined) {
    throw new OptionError(
      '--split',
      `hub:${id} has no split "${split}"`,
      `Choose ${inWords([...splits.keys()])}`,
    );
  }
  return { config: chosen, split, urls };
}

const MOST_SHOWN = 20;

function inWords(names: readonly string[]): string {
  const shown = names.slice(0, MOST_SHOWN).join(', ');
  return names.length > MOST_SHOWN ? `${shown}, or one of ${names.length - MOST_SHOWN} more` : shown;
}

/** The whole file at `url`, through the cache; undefined where there is none. */
async function fetchBytes(
  url: URL,
  largest: number,
  { onProgress, signal }: Omit<HubDataOptions, 'split'>,
): Promise<Uint8Array | undefined> {
  const name = url.pathname;
  const source = await resolveSource({ [name]: url });
  const file = await source.open(name, { onProgress, signal });
  try {
    if (file !== undefined && file.size > largest) {
      throw new DataError(url.href, undefined, `has ${file.size} bytes, more than can be read at once`);
    }
    return await file?.read(0, file.size);
  } finally {
    await file?.close();
  }
}
