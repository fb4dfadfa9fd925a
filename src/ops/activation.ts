/** The activations that kernels know, and their codes in shaders/lib/activation.wgsl. */
export type Activation = 'gelu' | 'gelu_tanh';

export function activationCode(activation: Activation): number {
  return activation === 'gelu' ? 0 : 1;
}
