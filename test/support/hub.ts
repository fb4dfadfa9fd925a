import { sendFile, serve, type TestServer } from './http';

/** Files of a data set by configuration and split, each split in one or more parts. */
export type HubDataset = Readonly<Record<string, Readonly<Record<string, readonly Uint8Array[]>>>>;

/**
 * Answers about data sets as the Hugging Face hub does: a list of Parquet files whose addresses are the hub's own, each redirected to
 * where it lies; 401 for what nobody but its owner may know, and what there is not.
 */
export function serveHub(datasets: Readonly<Record<string, HubDataset>>): Promise<TestServer> {
  return serve((request, response) => {
    const path = request.url ?? '';
    const [, owner = '', name = ''] = /^\/(?:api\/)?datasets\/([^/]+)\/([^/]+)\//.exec(path) ?? [];
    const id = `${owner}/${name}`;
    const dataset = datasets[id];
    const rest = path.slice(path.indexOf(id) + id.length + 1).split('/');
    if (dataset === undefined) {
      response.writeHead(401).end('{"error":"Invalid username or password."}');
    } else if (path === `/api/datasets/${id}/parquet`) {
      const list = Object.entries(dataset).map(([config, splits]) => {
        const urls = Object.entries(splits).map(([split, parts]) => {
          const address = `https://huggingface.co/api/datasets/${id}/parquet/${config}/${split}`;
          return [split, parts.map((_, index) => `${address}/${index}.parquet`)];
        });
        return [config, Object.fromEntries(urls)];
      });
      const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(list)));
      sendFile(request, response, json, '"list"');
    } else if (path.startsWith('/api/')) {
      const [, config, split, file = ''] = rest;
      const part = file.replace('.parquet', '').padStart(4, '0');
      const location = `/datasets/${id}/resolve/refs%2Fconvert%2Fparquet/${config}/${split}/${part}.parquet`;
      response.writeHead(302, { location }).end();
    } else {
      const [config = '', split = '', file = ''] = rest.slice(-3);
      const bytes = dataset[config]?.[split]?.[Number(file.replace('.parquet', ''))];
      if (bytes === undefined) response.writeHead(404).end();
      else sendFile(request, response, bytes, `"${config}-${split}-${file}-${bytes.length}"`);
    }
  });
}
