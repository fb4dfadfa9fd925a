import { availableParallelism, cpus, release, type } from 'node:os';
import type { Backend } from '../../src/backends/backend';
import type { Machine } from '../report/table';

export function describeMachine({ name, device }: Backend): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    cores: availableParallelism(),
    runtime: `Node ${process.versions.node}`,
    platform: `${type()} ${release()}, ${process.arch}`,
    backend: name,
    device: device.name,
    date: new Date().toISOString(),
  };
}
