import { GraftError, type MeasuredKernel, type Runtime, type SelfTestReport } from '../index';
import type { DoctorOptions } from './options';
import { withRuntime } from './runtime';
import { grouped, printable, printJson, table } from './terminal';

/** `graft doctor`: the device and a self-test of every kernel on it. @throws GraftError where a check failed. */
export async function doctor(options: DoctorOptions): Promise<void> {
  await withRuntime(options, async (runtime) => {
    const kernels = await runtime.measuredKernels();
    if (!options.json) process.stdout.write(describeDevice(runtime) + describeKernels(kernels));
    const selfTest = await runtime.selfTest();
    if (options.json) printJson({ backend: runtime.backend, device: runtime.device, kernels, selfTest });
    else process.stdout.write(describeSelfTest(selfTest));
    if (!selfTest.passed) {
      throw new GraftError(
        'this device computes wrong results',
        "Update the graphics driver; training here would go wrong. The self-test's output helps a bug report",
      );
    }
  });
}

function describeDevice({ backend, device }: Runtime): string {
  const limits = Object.entries(device.limits).map(([name, value]) => [`  ${name}`, grouped(value)]);
  return [
    table([
      ['device', printable(device.name)],
      ['backend', backend],
      ['vendor', printable(device.vendor)],
      ['architecture', printable(device.architecture)],
      ['kind', device.isFallback ? 'software: works, slowly' : 'hardware'],
      ...(device.note === undefined ? [] : [['note', device.note]]),
      ['features', device.features.length > 0 ? device.features.join(', ') : 'none'],
      ['limits', ''],
    ]),
    table(limits),
    '\n',
  ].join('');
}

/** The variants that --kernels auto takes, where they were measured. */
export function describeKernels(kernels: readonly MeasuredKernel[]): string {
  if (kernels.length === 0) return '';
  const rows = kernels.map(({ kernel, sizes, variant }) => [`  ${kernel}`, sizes, variant]);
  return ['fastest kernels measured here\n', table(rows), '\n'].join('');
}

type Check = SelfTestReport['checks'][number];

/** A line for each op, with the check that came closest to its tolerance; then every check that failed. */
export function describeSelfTest({ passed, checks }: SelfTestReport): string {
  const byOp = new Map<string, Check[]>();
  for (const check of checks) {
    const group = byOp.get(check.op);
    if (group === undefined) byOp.set(check.op, [check]);
    else group.push(check);
  }
  const rows = [...byOp].map(([op, group]) => {
    const worst = group.reduce((a, b) => (strain(b) > strain(a) ? b : a));
    const failed = group.filter((check) => !check.passed).length;
    return [
      op,
      `${group.length} checks`,
      `error ${worst.error.toExponential(1)} of ${worst.tolerance.toExponential(1)} allowed`,
      failed === 0 ? 'ok' : `${failed} FAILED`,
    ];
  });
  const failures = checks
    .filter((check) => !check.passed)
    .map(
      ({ op, case: name, what, error }) =>
        `FAILED ${op}, ${name}: ${what}, error ${error.toExponential(1)}\n`,
    );
  const verdict = passed
    ? `all ${checks.length} checks passed\n`
    : `${failures.length} of ${checks.length} checks failed\n`;
  return [table(rows), ...failures, verdict].join('');
}

/** The share of its tolerance that a check used up; an error that is NaN is the worst of all. */
function strain({ error, tolerance }: Check): number {
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / tolerance;
}
