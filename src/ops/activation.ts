/** The activations that kernels know, and their codes in shaders/lib/activation.wgsl. */
export const ACTIVATIONS = ['gelu', 'gelu_tanh', 'relu', 'swish'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

export function activationCode(activation: Activation): number {
  return ACTIVATIONS.indexOf(activation);
}
