import type { EngineEvent } from '../engine';
import type { Context } from './context';
import type { LossPoint } from './loss-history';
import { throttled } from './throttle';

/** Of progress and curves, in milliseconds: often enough to look alive, seldom enough to leave the page its frames. */
const DRAWING_INTERVAL = 250;

export interface StepListener {
  /** Steps of one task since the last call, oldest first. */
  steps(taskId: string, points: readonly LossPoint[]): void;
}

/** Brings what the engine tells into the store. Steps come by the hundred a second on a GPU, so they are collected. */
export function engineListener(
  { store }: Pick<Context, 'store'>,
  listener: StepListener,
): (event: EngineEvent) => void {
  const collected = new Map<string, LossPoint[]>();
  const progress = new Map(store.state.progress);
  const flush = throttled(DRAWING_INTERVAL, () => {
    store.update({ progress: new Map([...store.state.progress, ...progress]) });
    progress.clear();
    for (const [taskId, points] of collected) listener.steps(taskId, points);
    collected.clear();
  });
  return (event) => {
    switch (event.type) {
      case 'device':
        store.update({ device: event.device, checking: undefined });
        break;
      case 'checking-device':
        store.update({ checking: event.done < event.total ? event : undefined });
        break;
      case 'loading':
        store.update({ loading: event, backboneError: undefined });
        break;
      case 'backbone':
        store.update({ backbone: event.backbone, loading: undefined, backboneError: undefined });
        break;
      case 'backbone-failed':
        store.update({ loading: undefined, backboneError: event.error });
        break;
      case 'task':
        // What was collected is older than the task's own progress.
        progress.delete(event.task.id);
        store.putTask(event.task);
        break;
      case 'step': {
        const points = collected.get(event.taskId) ?? [];
        points.push({ step: event.progress.step, loss: event.loss });
        collected.set(event.taskId, points);
        progress.set(event.taskId, event.progress);
        flush();
        break;
      }
      case 'task-removed':
        store.dropTask(event.taskId);
        break;
      case 'storage':
        store.update({ storage: event.storage });
    }
  };
}
