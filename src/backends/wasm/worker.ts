/** What a worker runs. Built to a script of its own and started from its text: tools/build.mjs, worker-host.ts. */
import { workerPort } from '../../platform/worker';
import { createMemory, instantiateOn } from '../../wasm/instance';
import { Meeting } from './meeting';
import type { FromWorker, ToWorker } from './messages';
import { Runner, type RunOutcome } from './runner';
import { scratchAddress } from './scratch';

const PAGE = 65_536;
const port = workerPort<ToWorker, FromWorker>();

let runner: Runner | undefined;
let memory = new WebAssembly.Memory({ initial: 0 });

async function start(message: Extract<ToWorker, { kind: 'start' }>): Promise<void> {
  memory =
    message.memory instanceof WebAssembly.Memory ? message.memory : createMemory(message.memory, false);
  const instance = await instantiateOn(message.module, memory);
  const heapBase = instance.function('heap_base')();
  instance.function('set_scratch')(scratchAddress(heapBase, message.index));
  runner = new Runner(instance, message.threads);
  port.post({ kind: 'ready', heapBase });
}

/** One that fails says why; the last one to leave a run says that it is over. */
function answer(request: number, { isComplete, error, isLast, times }: RunOutcome): void {
  if (error !== undefined) port.post({ kind: 'trouble', request, reason: String(error) });
  if (isLast) port.post({ kind: 'done', request, isComplete, times });
}

function handle(message: ToWorker): void {
  switch (message.kind) {
    case 'start':
      start(message).catch((error) => {
        port.post({ kind: 'failed', request: undefined, reason: String(error) });
      });
      break;
    case 'prepare':
      runner?.prepare(
        message.program,
        message.calls,
        message.meeting === undefined ? undefined : new Meeting(message.meeting),
      );
      break;
    case 'forget':
      runner?.forget(message.program);
      break;
    case 'run': {
      if (runner !== undefined) answer(message.request, runner.run(message));
      break;
    }
    case 'grow': {
      const missing = Math.ceil(message.byteLength / PAGE) - memory.buffer.byteLength / PAGE;
      if (missing > 0) memory.grow(missing);
      port.post({ kind: 'done', request: message.request, isComplete: true, times: undefined });
      break;
    }
    case 'write':
      new Uint32Array(memory.buffer, message.pointer, message.words.length).set(message.words);
      break;
    case 'clear':
      new Uint8Array(memory.buffer, message.pointer, message.byteLength).fill(0);
      break;
    case 'read': {
      const floats = new Float32Array(memory.buffer, message.pointer, message.floats).slice();
      port.post({ kind: 'data', request: message.request, floats }, [floats.buffer]);
      break;
    }
  }
}

port.onMessage((message) => {
  try {
    handle(message);
  } catch (error) {
    const request = 'request' in message ? message.request : undefined;
    port.post({ kind: 'failed', request, reason: String(error) });
  }
});
