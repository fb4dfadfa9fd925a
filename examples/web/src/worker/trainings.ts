import { DataError, DivergedError, OptionError, type Task } from 'graft-ml';
import type { Curves, ExampleRow, TaskKind, TaskState, TrainOptions } from '../engine';
import { NO_CURVES } from './curves';
import { checkExamples } from './data/data-check';
import { sortedLabels } from './data/labels';
import type { DeviceSession } from './device-session';
import { BusyError, otherBackbone, trainedElsewhere } from './errors';
import { adapterName, byteLengthOf, MOST_TOKENS, maxLengthAt } from './limits';
import type { Keeper } from './storage/keeper';
import type { RunRecord, TaskRecord } from './storage/schema';
import type { Tabs } from './tabs';
import type { TaskBook } from './task-book';
import { type RunOutcome, TrainingRun } from './training-run';

/** Why a run stops before its end. */
export class RunPaused extends Error {}
export class RunCancelled extends Error {}

export interface TrainingsOptions {
  readonly session: DeviceSession;
  readonly book: TaskBook;
  readonly keeper: Keeper;
  readonly tabs: Tabs;
}

interface ActiveRun {
  readonly taskId: string;
  readonly controller: AbortController;
  readonly ended: Promise<void>;
  run: TrainingRun | undefined;
}

/** Begins, goes on with, stops and ends trainings: one at a time in this tab, and never one that another tab trains. */
export class Trainings {
  readonly #options: TrainingsOptions;
  #active: ActiveRun | undefined;

  constructor(options: TrainingsOptions) {
    this.#options = options;
    // Buttons that were pressed in another tab.
    options.tabs.listen((message) => {
      if (message.type === 'pause') void this.stop(message.taskId, new RunPaused());
      if (message.type === 'cancel') void this.stop(message.taskId, new RunCancelled());
    });
  }

  /** The task while it trains, with the parameters of the last step. */
  inTraining(taskId: string): Task | undefined {
    return this.#active?.taskId === taskId ? this.#active.run?.task : undefined;
  }

  /** Throws BusyError while this tab trains. */
  requireIdle(): void {
    if (this.#active === undefined) return;
    const name = this.#options.book.find(this.#active.taskId)?.name ?? 'a task';
    throw new BusyError(`${name} is being trained`, 'Wait for its end, or pause it');
  }

  /** Throws BusyError while this task trains, in whatever tab. */
  requireNotTraining({ id, name }: TaskRecord): void {
    if (this.#options.book.isTrainedElsewhere(id)) throw trainedElsewhere(name);
    if (this.#active?.taskId === id) {
      throw new BusyError(`${name} is being trained`, 'Pause or cancel it first');
    }
  }

  async train(taskId: string, options: TrainOptions): Promise<TaskState> {
    const { book, tabs } = this.#options;
    const { name } = book.require(taskId);
    this.requireIdle();
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const active: ActiveRun = { taskId, controller: new AbortController(), ended, run: undefined };
    this.#active = active;
    let release: (() => void) | undefined;
    try {
      release = await tabs.hold(taskId);
      if (release === undefined) throw trainedElsewhere(name);
      book.setTrainedHere(taskId);
      await this.#train(active, options);
    } finally {
      this.#active = undefined;
      book.setTrainedHere(undefined);
      const record = book.find(taskId);
      if (record !== undefined && release !== undefined) book.show(record);
      release?.();
      end();
    }
    return book.stateOf(book.require(taskId));
  }

  /** Stops the run of this tab, where there is one of that task, and waits for its end. */
  async stop(taskId: string, reason: RunPaused | RunCancelled): Promise<void> {
    if (this.#active?.taskId !== taskId) return;
    this.#active.controller.abort(reason);
    await this.#active.ended;
  }

  async forgetRun(record: TaskRecord): Promise<void> {
    await this.#options.book.keep({ ...record, run: undefined, note: undefined }, [
      { store: 'states', key: record.id, value: undefined },
    ]);
  }

  async #train(active: ActiveRun, given: TrainOptions): Promise<void> {
    const { session, book, keeper } = this.#options;
    const { taskId, controller } = active;
    const place = await session.ready();
    // Another tab may have trained it since this one read it.
    const record = (await keeper.read('tasks', taskId)) ?? book.require(taskId);
    const examples = (await keeper.read('examples', taskId)) ?? [];
    const state = await keeper.read('states', taskId);
    const earlier = state === undefined ? undefined : record.run;
    if (earlier !== undefined && earlier.backbone.fingerprint !== place.identity.fingerprint) {
      throw otherBackbone(`The training of ${record.name}`, earlier.backbone.description);
    }
    const options = earlier?.options ?? given;
    await requireUsable(record.kind, examples, options);
    const labels = record.kind === 'classification' ? sortedLabels(examples) : [];
    // Its name may change while it trains.
    const latest = () => book.find(taskId) ?? record;
    const runRecord = (hasState: boolean): RunRecord => ({
      backbone: place.identity,
      options,
      labels,
      progress: run.progress,
      curves: run.curves,
      seconds: run.seconds,
      hasState,
    });
    const run = new TrainingRun(
      session,
      {
        adapterName: adapterName(record.name),
        kind: record.kind,
        bottleneck: record.bottleneck,
        labels,
        examples,
        options,
        maxLength: maxLengthAt(place.backbone),
      },
      {
        state,
        curves: earlier?.curves ?? NO_CURVES,
        seconds: earlier?.seconds ?? 0,
        step: earlier?.progress.step ?? 0,
      },
      {
        step: (loss, progress) => book.tellStep(taskId, loss, progress),
        changed: () => book.show({ ...latest(), run: runRecord(run.state !== undefined) }),
        checkpoint: (bytes) =>
          book.keepQuietly({ ...latest(), run: runRecord(true) }, [
            { store: 'states', key: taskId, value: bytes },
          ]),
        moved: (note) => book.show({ ...latest(), note }),
      },
      controller.signal,
    );
    if (run.heldOutCount === 0) {
      throw new OptionError('heldOut', 'no example would be held out', 'Raise the share, or add examples');
    }
    active.run = run;
    // What is said of a former run is over.
    await book.keep({ ...record, note: undefined, run: runRecord(state !== undefined) });
    try {
      await this.#finish(await run.run(), { ...latest(), run: undefined }, options, run.curves);
    } catch (error) {
      // Going on from shortly before would diverge again.
      const isOver = error instanceof RunCancelled || error instanceof DivergedError;
      if (isOver || run.state === undefined) await this.forgetRun(latest());
      else {
        await book.keep({ ...latest(), run: runRecord(true) }, [
          { store: 'states', key: taskId, value: run.state },
        ]);
      }
      if (error instanceof RunCancelled || error instanceof RunPaused) return;
      throw error;
    }
  }

  async #finish(
    { task, place, result }: RunOutcome,
    record: TaskRecord,
    options: TrainOptions,
    curves: Curves,
  ): Promise<void> {
    const { session, book, keeper } = this.#options;
    const files = await task.save();
    await session.take(async () => {
      place.tasks.get(record.id)?.dispose();
      if (session.place === place) place.tasks.set(record.id, task);
      else task.dispose();
    });
    const trained = {
      backbone: place.identity,
      labels: task.labels,
      takesPairs: task.takesPairs,
      byteLength: byteLengthOf(files),
      trainableParameters: task.trainableParameters,
      options,
      curves,
      result,
    };
    await book.keep(
      { ...record, trained },
      [
        { store: 'adapters', key: record.id, value: files },
        { store: 'states', key: record.id, value: undefined },
      ],
      { isNewAdapter: true },
    );
    await keeper.measure();
  }
}

/** Throws DataError for the first problem of the examples, OptionError for a share that cannot be held out. */
async function requireUsable(
  kind: TaskKind,
  examples: readonly ExampleRow[],
  { heldOut }: TrainOptions,
): Promise<void> {
  if (!(heldOut > 0 && heldOut < 1)) {
    throw new OptionError('heldOut', `${heldOut} is not between 0 and 1`, 'A fifth, 0.2, is usual');
  }
  const { problems } = await checkExamples(kind, examples, { maxLength: MOST_TOKENS });
  const [first] = problems;
  if (first !== undefined) throw new DataError(undefined, undefined, first.message);
}
