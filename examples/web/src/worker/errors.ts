/** Errors of the engine, and how errors cross the thread's border. */
import { AdapterMismatchError, GraftError } from 'graft-ml';
import type { EngineError } from '../engine';

/** Something is in use: a task that trains, in this tab or another one. */
export class BusyError extends GraftError {
  override readonly name = 'BusyError';
}

/** There is no such task, or table. */
export class NotFoundError extends GraftError {
  override readonly name = 'NotFoundError';
}

/** What was asked for needs something first: a backbone, an adapter. */
export class NotReadyError extends GraftError {
  override readonly name = 'NotReadyError';
}

export function trainedElsewhere(name: string): BusyError {
  return new BusyError(`${name} is being trained in another tab`, 'Pause it there, or wait for its end');
}

export function notTrained(name: string): NotReadyError {
  return new NotReadyError(`${name} is not trained yet`, 'Train it first; a paused training can go on');
}

export function otherBackbone(what: string, backbone: string): AdapterMismatchError {
  return new AdapterMismatchError(
    `${what} was trained on another backbone, ${backbone}`,
    'Load that one first',
  );
}

/** What structured cloning would lose of an error. The hint stands in GraftError's message, too. */
export function engineErrorOf(error: unknown): EngineError {
  if (error instanceof GraftError) return { name: error.name, message: error.message, hint: error.hint };
  if (error instanceof Error) return { name: error.name, message: error.message };
  return { name: 'Error', message: String(error) };
}

/** The same object, whose methods throw `EngineError`s. */
export function throwingEngineErrors<T extends object>(target: T): T {
  return new Proxy(target, {
    get: (_, property) => {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      return async (...given: unknown[]) => {
        try {
          return await Reflect.apply(member, target, given);
        } catch (error) {
          throw engineErrorOf(error);
        }
      };
    },
  });
}
