import { opCases } from '../../src/reference';
import type { OpCase } from '../../src/reference/case';
import { adapterBenchmarks } from './adapter';
import { addBenchmarks, addCases } from './add';
import { attentionBenchmarks } from './attention';
import { batchEndBenchmarks } from './batch-ends';
import type { BenchmarksAt } from './benchmark';
import { elementwiseBenchmarks } from './elementwise';
import { frozenLinearBenchmarks } from './frozen_linear';
import { groupedBenchmarks } from './grouped';
import { layerNormBenchmarks } from './layer_norm';
import { linearBenchmarks } from './linear';
import { methodBenchmarks } from './methods';

/** Every op's kernels at one size. A test compares them with the ops that have oracles. */
export const benchmarksAt: BenchmarksAt = (size) =>
  [
    frozenLinearBenchmarks,
    linearBenchmarks,
    adapterBenchmarks,
    methodBenchmarks,
    attentionBenchmarks,
    layerNormBenchmarks,
    groupedBenchmarks,
    elementwiseBenchmarks,
    addBenchmarks,
    batchEndBenchmarks,
  ].flatMap((at) => at(size));

/** Small inputs with float64 oracles: what is measured is checked on them first. */
export const checkedCases: readonly OpCase[] = [...opCases(), ...addCases];
