/** Which variant of a kernel a device runs. */
import { GraftError, OptionError } from '../../errors';
import { type Kernel, VARIANT_NAMES, type Variant, type VariantName } from '../kernel';

/** Every `KernelChoice`. */
export const KERNEL_CHOICES = ['auto', 'presumed', ...VARIANT_NAMES] as const;

/**
 * 'auto' measures what suits the device and remembers it; 'presumed' takes what should suit it, unmeasured; a variant's name is
 * taken where a kernel has it.
 */
export type KernelChoice = (typeof KERNEL_CHOICES)[number];

/** What the choice depends on. */
export interface VariantDevice {
  readonly isFallback: boolean;
  /** The size that every subgroup has, where it is known and shaders may use subgroups. */
  readonly subgroupSize: number | undefined;
}

/**
 * In the order in which they are presumed fast. `lanes` are always ahead of `serial` where they run: they load a fifth as
 * often. `naive` is nobody's choice.
 */
const SOFTWARE: readonly VariantName[] = ['lanes24', 'lanes16', 'serial', 'tiled'];
const HARDWARE: readonly VariantName[] = ['tiled', 'wide', 'blocked', 'serial'];

/** Variants of the other kind of device compute rightly here too, but are never worth a measurement. */
const SOFTWARE_CANDIDATES: readonly VariantName[] = ['lanes24', 'lanes16'];
const HARDWARE_CANDIDATES: readonly VariantName[] = ['tiled', 'wide', 'blocked'];

export function parseKernelChoice(text: string): KernelChoice {
  const choice = KERNEL_CHOICES.find((name) => name === text);
  if (choice !== undefined) return choice;
  throw new OptionError(
    'kernels',
    `there are no kernels "${text}"`,
    `Choose ${KERNEL_CHOICES.slice(0, -1).join(', ')} or ${KERNEL_CHOICES.at(-1)}`,
  );
}

function runs(variant: Variant, device: VariantDevice): boolean {
  return variant.subgroupSize === undefined || variant.subgroupSize === device.subgroupSize;
}

/** A kernel that lacks what was asked for runs the nearest of its kind. */
function preference(choice: KernelChoice, device: VariantDevice): readonly VariantName[] {
  switch (choice) {
    case 'auto':
    case 'presumed':
      return device.isFallback ? SOFTWARE : HARDWARE;
    case 'lanes16':
    case 'lanes24':
      return [choice, ...SOFTWARE];
    case 'naive':
    case 'serial':
      return [choice, 'serial', 'tiled'];
    default:
      return [choice, 'tiled', 'serial'];
  }
}

/** The variant that is taken unmeasured: the one of that name, or what is presumed fastest. */
export function presumedVariant(kernel: Kernel, choice: KernelChoice, device: VariantDevice): VariantName {
  const name = preference(choice, device).find((candidate) => {
    const variant = kernel.variants[candidate];
    return variant !== undefined && runs(variant, device);
  });
  if (name === undefined) throw new GraftError(`kernel ${kernel.name} has no variant for this device`);
  return name;
}

/** The variants among which a measurement decides; fewer than two where there is nothing to decide. */
export function candidates(kernel: Kernel, device: VariantDevice): VariantName[] {
  const names = device.isFallback ? SOFTWARE_CANDIDATES : HARDWARE_CANDIDATES;
  return names.filter((name) => {
    const variant = kernel.variants[name];
    return variant !== undefined && runs(variant, device);
  });
}

export function variantOf(kernel: Kernel, name: VariantName): Variant {
  const variant = kernel.variants[name];
  if (variant === undefined) throw new GraftError(`kernel ${kernel.name} has no variant ${name}`);
  return variant;
}
