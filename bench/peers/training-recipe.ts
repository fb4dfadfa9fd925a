/** What all contestants of the training comparisons share, with the defaults of `graft train`. */
export const BATCH_SIZE = 32;
export const DROPOUT = 0.1;
export const STEPS_PER_ROUND = 10;
