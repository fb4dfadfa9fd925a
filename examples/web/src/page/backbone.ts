/** The backbone at hand, how far its loading is, and the dialog that chooses another. */
import type { BackboneChoice } from '../engine';
import { asEngineError } from './client';
import type { Context } from './context';
import { byId } from './dom';
import { bytes, grouped } from './format';
import { describeError } from './notices';

export interface BackboneLoader {
  load(choice: BackboneChoice): void;
}

export function createBackbone({ engine, store, announcer }: Context): BackboneLoader {
  const name = byId('backbone-name', HTMLElement);
  const facts = byId('backbone-facts', HTMLElement);
  const loading = byId('backbone-loading', HTMLElement);
  const progress = byId('backbone-progress', HTMLProgressElement);
  const file = byId('backbone-file', HTMLElement);
  const change = byId('change-backbone', HTMLButtonElement);

  function load(choice: BackboneChoice): void {
    store.update({ loading: { file: '', loaded: 0 }, backboneError: undefined, backboneChoice: choice });
    engine.loadBackbone(choice).then(
      (backbone) => store.update({ backbone, loading: undefined, backboneError: undefined }),
      (reason: unknown) => {
        const error = asEngineError(reason);
        // What the user cancelled needs no explanation.
        store.update({ loading: undefined, backboneError: error.name === 'AbortError' ? undefined : error });
      },
    );
  }

  function show(): void {
    const { backbone, loading: at, backboneError } = store.state;
    loading.hidden = at === undefined;
    change.disabled = at !== undefined;
    if (at !== undefined) {
      name.textContent = 'Loading…';
      facts.textContent = '';
      if (at.total === undefined) progress.removeAttribute('value');
      else progress.value = at.loaded / Math.max(1, at.total);
      file.textContent = at.file === '' ? '' : `${at.file}: ${amount(at.loaded, at.total)}`;
      return;
    }
    name.textContent = backbone?.description ?? (backboneError === undefined ? 'Loading…' : 'None loaded');
    facts.classList.toggle('error-text', backboneError !== undefined);
    if (backboneError !== undefined) facts.textContent = describeError(backboneError);
    else if (backbone !== undefined) {
      const { layers, hiddenSize, parameters, byteLength } = backbone;
      facts.textContent = `${layers} layers of ${hiddenSize}, ${grouped(parameters)} parameters, ${bytes(byteLength)} in memory, frozen`;
    }
  }

  byId('cancel-loading', HTMLButtonElement).addEventListener('click', () => void engine.cancelLoading());
  store.subscribe((state, before) => {
    const isSame =
      state.backbone === before.backbone &&
      state.loading === before.loading &&
      state.backboneError === before.backboneError;
    if (isSame) return;
    show();
    if (state.backbone !== before.backbone && state.backbone !== undefined) {
      announcer.say(`Backbone ${state.backbone.description} is ready.`);
    }
  });
  return { load };
}

function amount(loaded: number, total: number | undefined): string {
  return total === undefined ? bytes(loaded) : `${bytes(loaded)} of ${bytes(total)}`;
}
