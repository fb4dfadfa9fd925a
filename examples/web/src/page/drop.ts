/** Files may be dropped anywhere: what they are decides what happens. */
import type { BackboneLoader } from './backbone';
import { byId } from './dom';
import { purposeOf } from './files';

export interface DropTargets {
  readonly backbone: BackboneLoader;
  examples(file: File): void;
  adapter(files: readonly File[]): void;
}

export function createDrop({ backbone, examples, adapter }: DropTargets): void {
  const hint = byId('drop-hint', HTMLElement);
  const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;

  addEventListener('dragover', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    hint.hidden = false;
  });
  addEventListener('dragleave', (event) => {
    // Only where the pointer leaves the window: within it, it enters another element.
    if (event.relatedTarget === null) hint.hidden = true;
  });
  addEventListener('drop', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    hint.hidden = true;
    const files = [...(event.dataTransfer?.files ?? [])];
    const [first] = files;
    if (first === undefined) return;
    const purpose = purposeOf(files);
    if (purpose === 'examples') examples(first);
    else if (purpose === 'adapter') adapter(files);
    else backbone.load({ kind: 'files', files });
  });
}
