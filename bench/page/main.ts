/** The page: settings in, progress and tables out; bench/page/worker.ts does the work. */
import type { BenchDocument } from '../report/table';
import { isShapeName } from '../shapes';
import type { PageSettings, WorkerMessage } from './messages';
import { renderTable } from './render-table';

function byId<Element extends HTMLElement>(id: string, kind: new () => Element): Element {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`the page has no ${id}`);
  return found;
}

const form = byId('settings', HTMLFormElement);
const run = byId('run', HTMLButtonElement);
const stop = byId('stop', HTMLButtonElement);
const save = byId('save', HTMLButtonElement);
const progress = byId('progress', HTMLProgressElement);
const status = byId('status', HTMLElement);
const results = byId('results', HTMLElement);

let worker: Worker | undefined;
let measured: BenchDocument | undefined;

function readSettings(): PageSettings {
  const data = new FormData(form);
  const shape = String(data.get('shape'));
  return {
    backend: data.get('backend') === 'webgpu' ? 'webgpu' : 'wasm',
    shape: isShapeName(shape) ? shape : 'minilm',
    quick: data.has('quick'),
  };
}

function show(text: string, isError = false): void {
  status.textContent = text;
  status.classList.toggle('error', isError);
}

function start(settings: PageSettings): void {
  results.replaceChildren();
  progress.value = 0;
  measured = undefined;
  save.disabled = true;
  run.disabled = true;
  stop.disabled = false;
  show('Starting…');
  worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data }: MessageEvent<WorkerMessage>) => receive(data));
  worker.addEventListener('error', ({ message }) => end(`The worker failed: ${message}`, true));
  worker.postMessage(settings);
}

function receive(message: WorkerMessage): void {
  switch (message.type) {
    case 'progress':
      progress.value = message.done / message.total;
      show(`${message.what} (${message.done} of ${message.total})`);
      break;
    case 'done': {
      const { machine, tables } = message.document;
      measured = message.document;
      results.replaceChildren(...tables.map(renderTable));
      progress.value = 1;
      save.disabled = false;
      end(`Done: ${machine.device}, ${machine.cores} cores, ${machine.platform}.`);
      break;
    }
    case 'failed':
      end(message.message, true);
  }
}

function end(text: string, isError = false): void {
  worker?.terminate();
  worker = undefined;
  run.disabled = false;
  stop.disabled = true;
  show(text, isError);
}

function saveJson(document_: BenchDocument): void {
  const blob = new Blob([`${JSON.stringify(document_, undefined, 2)}\n`], { type: 'application/json' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `graft-bench-${document_.machine.backend}-${document_.machine.date.slice(0, 10)}.json`;
  link.click();
  // The download has begun by then; until it has, the URL must live.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  start(readSettings());
});
stop.addEventListener('click', () => {
  progress.value = 0;
  end('Stopped.');
});
save.addEventListener('click', () => {
  if (measured !== undefined) saveJson(measured);
});
