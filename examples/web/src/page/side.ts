import { byId } from './dom';

/** Beside the content there is room for backbone and device; above it, on a narrow screen, they are folded away at first. */
export function createSide(): void {
  const setup = byId('setup', HTMLDetailsElement);
  const narrow = matchMedia('(max-width: 56rem)');
  const fold = () => {
    setup.open = !narrow.matches;
  };
  narrow.addEventListener('change', fold);
  fold();
}
