import type { EncoderConfig } from '../models/config';
import type { Activation } from '../ops/activation';
import type { ParameterSpec } from '../scheduler/parameters';
import type { Tape, Tensor } from '../scheduler/tape';

/** The two sub-layers of an encoder layer, each of which ends in a projection, a residual connection and a LayerNorm. */
export type Site = 'attention' | 'output';

export interface Place {
  readonly layer: number;
  readonly site: Site;
}

/** Draws of initial values; one stream a parameter. */
export interface Initializer {
  /** `length` normal draws of standard deviation `sigma`, redrawn beyond 2σ. */
  truncatedNormal(parameter: string, length: number, sigma: number): Float32Array;
}

/** A parameter-efficient method: its parameters and where it attaches to the encoder. */
export interface AdapterMethod {
  readonly kind: 'houlsby';
  readonly bottleneck: number;
  /** f between the bottleneck's two products. */
  readonly activation: Activation;
  /** Of the adapters in `layers`. Throws OptionError where the method's options do not fit the encoder. */
  parameters(config: EncoderConfig, initializer: Initializer, layers: readonly number[]): ParameterSpec[];
  /** From a sub-layer's projected output `[T, hidden]` to what the residual is added to. */
  attach(tape: Tape, place: Place, projected: Tensor, parameter: (name: string) => Tensor): Tensor;
}
