import { describe, expect, it } from 'vitest';
import { napUntil } from '../../src/backends/webgpu/patience';

describe('napUntil', () => {
  it('passes on what the promise brings', async () => {
    await expect(napUntil(Promise.resolve(7))).resolves.toBe(7);
    const late = new Promise<string>((resolve) => setTimeout(resolve, 20, 'late'));
    await expect(napUntil(late)).resolves.toBe('late');
    await expect(napUntil(Promise.reject(new RangeError('lost')))).rejects.toThrow(RangeError);
  });

  it('leaves the processor to others, and timers their turn', async () => {
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 5);
    const before = process.cpuUsage();
    await napUntil(new Promise((resolve) => setTimeout(resolve, 300)));
    const { user, system } = process.cpuUsage(before);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
    // Polling without naps takes all of the 300 ms.
    expect((user + system) / 1000).toBeLessThan(150);
  });
});
