import { defineTable, type Table } from '../report/table';

/** A copy of `bytes` in all: half of them read, half written. */
export interface CopyRate {
  readonly bytes: number;
  /** Bytes read and written. */
  readonly gigabytesPerSecond: number;
}

/** What the device reaches at its best, measured in the same run as what is compared with it. */
export interface Peaks {
  /** Multiply-adds in registers, no memory; a multiply-add is two operations. */
  readonly gigaflops: number;
  /** How the multiply-adds were made. */
  readonly method: string;
  /** From what fits into the innermost cache to what fits into none. */
  readonly copies: readonly CopyRate[];
}

/** Bytes that copies read and write together. */
export const COPY_SIZES: readonly number[] = [15, 18, 20, 22, 24, 26, 28].map((power) => 2 ** power);
/** What a short run takes: a cache's and a larger one. */
export const QUICK_COPY_SIZES: readonly number[] = [2 ** 18, 2 ** 22];

/** The rate of the copy whose size is nearest, as a ratio: a kernel of few bytes is compared with a copy in the same cache. */
export function copyRateNear({ copies }: Peaks, bytes: number): number {
  const distance = (copy: CopyRate) => Math.abs(Math.log(copy.bytes / bytes));
  return copies.reduce((nearest, copy) => (distance(copy) < distance(nearest) ? copy : nearest))
    .gigabytesPerSecond;
}

/** The better of two measurements of the same probes: other work on the machine only takes away. */
export function betterPeaks(a: Peaks, b: Peaks): Peaks {
  return {
    method: a.method,
    gigaflops: Math.max(a.gigaflops, b.gigaflops),
    copies: a.copies.map(({ bytes, gigabytesPerSecond }, index) => ({
      bytes,
      gigabytesPerSecond: Math.max(gigabytesPerSecond, b.copies[index]?.gigabytesPerSecond ?? 0),
    })),
  };
}

export function peaksTable({ gigaflops, method, copies }: Peaks): Table {
  return defineTable({
    name: 'probes',
    title: 'Probes: the most that this device reaches',
    notes: ['Copies count the bytes read and the bytes written.'],
    columns: [
      { key: 'probe', label: 'probe' },
      { key: 'size', label: 'size' },
      { key: 'rate', label: 'rate' },
      { key: 'unit', label: 'unit' },
    ],
    rows: [
      { probe: 'multiply-add', size: method, rate: gigaflops, unit: 'GFLOP/s' },
      ...copies.map(({ bytes, gigabytesPerSecond }) => ({
        probe: 'copy',
        size: showBytes(bytes),
        rate: gigabytesPerSecond,
        unit: 'GB/s',
      })),
    ],
  });
}

function showBytes(bytes: number): string {
  return bytes < 2 ** 20 ? `${bytes / 2 ** 10} KiB` : `${bytes / 2 ** 20} MiB`;
}
