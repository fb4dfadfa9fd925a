import { bert } from './bert';
import type { ModelFamily } from './family';

/** Liu et al. 2019, arXiv 1907.11692: BERT with other positions, without token types (a table of one), byte-level BPE. */
export const roberta: ModelFamily = {
  ...bert,
  modelType: 'roberta',
  className: 'Roberta',
  prefix: 'roberta.',
  countsPositionsFromPadding: true,
};

/** Conneau et al. 2020, arXiv 1911.02116: a RoBERTa. Its own tokenizer, SentencePiece, is not supported. */
export const xlmRoberta: ModelFamily = { ...roberta, modelType: 'xlm-roberta', className: 'XLMRoberta' };
