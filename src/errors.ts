/**
 * Every error that Graft throws on purpose. Each names what was wrong, where, and what to do about it.
 * This file imports nothing, so that every room may use it.
 */

/** The base of all of Graft's errors. `hint` says what to do; it is part of `message` too. */
export class GraftError extends Error {
  /** The class's name: minification does not change it. */
  override readonly name: string = 'GraftError';
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(hint === undefined ? message : `${message}. ${hint}`, options);
    this.hint = hint;
  }
}

/** A file that was needed is not there, or cannot be read or fetched. */
export class FileAccessError extends GraftError {
  override readonly name = 'FileAccessError';
  /** Its path, address or name. */
  readonly file: string;

  constructor(file: string, problem: string, hint?: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, hint, options);
    this.file = file;
  }
}

/** A file is there but its content is not what its format demands: checkpoint, configuration, vocabulary, adapter. */
export class FileFormatError extends GraftError {
  override readonly name = 'FileFormatError';
  /** Its path, address or name. */
  readonly file: string;
  /** The place inside the file: a tensor, a key, a byte offset, a line. */
  readonly place: string | undefined;

  constructor(
    file: string,
    place: string | undefined,
    problem: string,
    hint?: string,
    options?: ErrorOptions,
  ) {
    super(`${file}${place === undefined ? '' : `, ${place}`}: ${problem}`, hint, options);
    this.file = file;
    this.place = place;
  }
}

/** A sound file of a model, feature or data type that Graft does not support. */
export class UnsupportedModelError extends GraftError {
  override readonly name = 'UnsupportedModelError';
}

/** An adapter or head does not fit the backbone or the task it is loaded onto. */
export class AdapterMismatchError extends GraftError {
  override readonly name = 'AdapterMismatchError';
}

/** A labelled example, or a whole data set, that cannot be used. `line` is 1-based. */
export class DataError extends GraftError {
  override readonly name = 'DataError';
  /** Where the examples came from, if from a file. */
  readonly file: string | undefined;
  /** Counts from 1. */
  readonly line: number | undefined;

  constructor(
    file: string | undefined,
    line: number | undefined,
    problem: string,
    hint?: string,
    options?: ErrorOptions,
  ) {
    const place = [file, line === undefined ? undefined : `line ${line}`].filter(
      (part) => part !== undefined,
    );
    super(place.length === 0 ? problem : `${place.join(', ')}: ${problem}`, hint, options);
    this.file = file;
    this.line = line;
  }
}

/** An option has a value that cannot be used. */
export class OptionError extends GraftError {
  override readonly name = 'OptionError';
  /** Its name. */
  readonly option: string;

  constructor(option: string, problem: string, hint?: string) {
    super(`${option}: ${problem}`, hint);
    this.option = option;
  }
}

/** There is no WebGPU here, or no GPUAdapter, or it lacks what Graft needs. */
export class NoGPUError extends GraftError {
  override readonly name = 'NoGPUError';
}

/** The device was lost while Graft was using it. */
export class DeviceLostError extends GraftError {
  override readonly name = 'DeviceLostError';
}

/** The device ran out of memory. */
export class OutOfDeviceMemoryError extends GraftError {
  override readonly name = 'OutOfDeviceMemoryError';
}

/** A buffer or binding would be larger than the device allows. */
export class DeviceLimitError extends GraftError {
  override readonly name = 'DeviceLimitError';
  /** WebGPU's name of it. */
  readonly limit: string;

  constructor(limit: string, problem: string, hint?: string) {
    super(`${limit}: ${problem}`, hint);
    this.limit = limit;
  }
}

/** The loss became NaN or infinite. `step` counts from 1. */
export class DivergedError extends GraftError {
  override readonly name = 'DivergedError';
  /** The optimizer step, from 1. */
  readonly step: number;

  constructor(step: number, problem: string, hint?: string) {
    super(`step ${step}: ${problem}`, hint);
    this.step = step;
  }
}

/** Something could not be written: a full disk, no permission. What stood there before is still whole. */
export class FileWriteError extends GraftError {
  override readonly name = 'FileWriteError';
  /** Its path or name. */
  readonly file: string;

  constructor(file: string, problem: string, hint?: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, hint, options);
    this.file = file;
  }
}
