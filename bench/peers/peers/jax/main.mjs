/** jax-js as a contestant. */
import { serve } from '../../serve';
import { product } from './product.mjs';
import { step } from './step.mjs';

await serve({ product, step });
