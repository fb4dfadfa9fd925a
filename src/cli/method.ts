import { type AdapterMethod, adapterMethod } from '../index';
import type { TrainOptions } from './options';

/** The method that the command line asks for. Throws OptionError for an option that it does not have. */
export function methodOf(options: TrainOptions): AdapterMethod {
  const { adapter, bottleneck, scaling, rank, alpha, loraDropout, targets, topK } = options;
  const given = Object.entries({ bottleneck, scaling, rank, alpha, loraDropout, targets, topK });
  return adapterMethod(adapter, Object.fromEntries(given.filter(([, value]) => value !== undefined)));
}

/** 'lora, rank 8, alpha 8, lora dropout 0, targets query + value' */
export function describeMethod({ kind, options }: AdapterMethod): string {
  const details = Object.entries(options).map(([name, value]) => {
    const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    return `${words} ${typeof value === 'object' ? value.join(' + ') : value}`;
  });
  return [kind, ...details].join(', ');
}
