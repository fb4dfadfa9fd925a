import { bert } from './bert';
import { distilbert } from './distilbert';
import { electra } from './electra';
import type { ModelFamily, ModelType } from './family';
import { roberta, xlmRoberta } from './roberta';

export const FAMILIES: Readonly<Record<ModelType, ModelFamily>> = {
  bert,
  roberta,
  'xlm-roberta': xlmRoberta,
  distilbert,
  electra,
};
