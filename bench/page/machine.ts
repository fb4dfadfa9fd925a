import type { Backend } from '../../src/backends/backend';
import type { Machine } from '../report/table';

/** What a browser tells of the machine; it keeps the name of the CPU to itself. */
export function describeBrowser({ name, device }: Backend): Machine {
  return {
    cpu: 'not told by browsers',
    cores: navigator.hardwareConcurrency,
    runtime: navigator.userAgent,
    platform: crossOriginIsolated
      ? 'cross-origin isolated'
      : 'not cross-origin isolated: a coarser clock, no threads',
    backend: name,
    device: device.name,
    date: new Date().toISOString(),
  };
}
