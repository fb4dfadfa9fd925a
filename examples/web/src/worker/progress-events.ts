import type { FileProgress } from 'graft-ml';

const MILLISECONDS = 100;

/** Passes on the news of loading at a pace that a page can follow; the last one of each file always. */
export function throttledProgress(
  listener: (progress: FileProgress) => void,
): (progress: FileProgress) => void {
  let toldAt = 0;
  return (progress) => {
    const now = performance.now();
    if (now - toldAt < MILLISECONDS && progress.loaded !== progress.total) return;
    toldAt = now;
    listener(progress);
  };
}
