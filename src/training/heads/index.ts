import { OptionError } from '../../errors';
import type { TaskKind } from '../types';
import { classificationHead } from './classification';
import type { Head } from './head';
import { multiLabelHead } from './multi-label';
import { questionAnsweringHead } from './question-answering';
import { regressionHead } from './regression';
import { tokenClassificationHead } from './token-classification';

/** Every kind of task; each throws OptionError for labels that it cannot have. */
const HEADS: Readonly<Record<TaskKind, (labels: readonly string[]) => Head>> = {
  classification: classificationHead,
  'multi-label': multiLabelHead,
  regression: regressionHead,
  'token-classification': tokenClassificationHead,
  'question-answering': questionAnsweringHead,
};

/** Throws OptionError for a kind that does not exist, or labels that it cannot have. */
export function makeHead(kind: TaskKind, labels: readonly string[]): Head {
  if (!Object.hasOwn(HEADS, kind)) {
    throw new OptionError('kind', `there is no kind "${kind}"`, `Choose ${Object.keys(HEADS).join(', ')}`);
  }
  return HEADS[kind](labels);
}
