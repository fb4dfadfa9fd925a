/** What computes: the choice, what came of it, and why. */
import type { DeviceChoice } from '../engine';
import type { Context } from './context';
import { byId, showText } from './dom';

export function createDevice({ engine, store, notices }: Context): void {
  const choice = byId('device-choice', HTMLSelectElement);
  const name = byId('device-name', HTMLElement);
  const note = byId('device-note', HTMLElement);

  choice.addEventListener('change', () => {
    const { value } = choice;
    choice.disabled = true;
    name.textContent = 'Opening…';
    void notices
      .attempt(() => engine.chooseDevice(isDeviceChoice(value) ? value : 'auto'))
      .then((device) => {
        choice.disabled = false;
        store.update({ device: device ?? store.state.device, checking: undefined });
        show();
      });
  });

  function show(): void {
    const { device, checking } = store.state;
    if (checking !== undefined) {
      name.textContent = `Checking its kernels: ${checking.done} of ${checking.total}`;
    } else if (device !== undefined) {
      name.textContent = `${device.backend === 'webgpu' ? 'GPU' : 'CPU'}: ${device.name}`;
      if (!choice.disabled) choice.value = device.choice;
    }
    showText(note, device?.note);
  }

  store.subscribe((state, before) => {
    if (state.device !== before.device || state.checking !== before.checking) show();
  });
}

function isDeviceChoice(value: string): value is DeviceChoice {
  return value === 'auto' || value === 'webgpu' || value === 'wasm';
}
