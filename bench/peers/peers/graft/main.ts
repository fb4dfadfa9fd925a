/** Graft as a contestant. */
import { serve } from '../../serve';
import { forward } from './forward';
import { product } from './product';
import { step } from './step';
import { tokenizer } from './tokenizer';
import { training } from './training';

await serve({ product, step, forward, tokenizer, training });
