import { adapterCases } from './adapter';
import { attentionCases } from './attention';
import { binaryCrossEntropyCases } from './binary_cross_entropy';
import type { OpCase } from './case';
import { crossEntropyCases } from './cross_entropy';
import { dropoutCases } from './dropout';
import { embeddingsCases } from './embeddings';
import { frozenLinearCases } from './frozen_linear';
import { geluCases } from './gelu';
import { groupedLayerNormCases } from './grouped_layer_norm';
import { groupedLinearCases } from './grouped_linear';
import { layerNormCases } from './layer_norm';
import { linearCases } from './linear';
import { placeBlocksCases } from './place_blocks';
import { poolingCases } from './pooling';
import { prefixAttentionCases } from './prefix_attention';
import { scaleColumnsCases } from './scale_columns';
import { spanCrossEntropyCases } from './span_cross_entropy';
import { squaredErrorCases } from './squared_error';
import { tanhCases } from './tanh';

/**
 * The cases of every op, made on demand: nobody pays for them who only loads the library. A test compares the list with the
 * files in src/ops, so that no op goes unchecked.
 */
export function opCases(): readonly OpCase[] {
  return [
    ...geluCases(),
    ...layerNormCases(),
    ...embeddingsCases(),
    ...poolingCases(),
    ...tanhCases(),
    ...crossEntropyCases(),
    ...binaryCrossEntropyCases(),
    ...spanCrossEntropyCases(),
    ...squaredErrorCases(),
    ...attentionCases(),
    ...dropoutCases(),
    ...linearCases(),
    ...frozenLinearCases(),
    ...adapterCases(),
    ...groupedLinearCases(),
    ...groupedLayerNormCases(),
    ...placeBlocksCases(),
    ...scaleColumnsCases(),
    ...prefixAttentionCases(),
  ];
}
