import type { Initializer } from './method';

/**
 * He et al. 2015 (arXiv 1502.01852) as torch.nn.Linear and LoRA take it, `kaiming_uniform_(a=√5)`: uniform within
 * √(6 / ((1 + a²) · inputs)) = 1/√inputs of zero.
 */
export function kaimingUniform(
  initializer: Initializer,
  name: string,
  length: number,
  inputs: number,
): Float32Array {
  return initializer.uniform(name, length, 1 / Math.sqrt(inputs));
}
