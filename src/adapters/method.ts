import type { Place, SubLayer } from '../models/bert';
import type { EncoderConfig } from '../models/config';
import type { ProductPlace } from '../models/encoder-parameters';
import type { ParameterSpec } from '../scheduler/parameters';
import type { Tape, Tensor } from '../scheduler/tape';

/** Draws of initial values; one stream a parameter. */
export interface Initializer {
  /** `length` normal draws of standard deviation `sigma`, redrawn beyond 2σ. */
  truncatedNormal(parameter: string, length: number, sigma: number): Float32Array;
  /** `length` uniform draws from [−bound, bound). */
  uniform(parameter: string, length: number, bound: number): Float32Array;
}

/** What a method's parameters depend on. */
export interface ParameterContext {
  readonly config: EncoderConfig;
  readonly hasPooler: boolean;
  /** The layers that are adapted, ascending. */
  readonly layers: readonly number[];
  readonly initializer: Initializer;
  /** What the encoder has under a name of `models/encoder-parameters.ts`. */
  pretrained(name: string): Promise<Float32Array>;
}

/** What a method needs to record its part of the encoder. */
export interface AttachContext {
  readonly tape: Tape;
  /** The method's tensors by name; trainable in training. */
  parameter(name: string): Tensor;
  /** Whether dropout is drawn. */
  readonly isTraining: boolean;
}

/** What a method does to the layers that it adapts; what it leaves out stays as it is. */
export interface MethodHooks {
  /** A product: `product` is what it is without the method. */
  linear?(place: ProductPlace, x: Tensor, product: (x: Tensor) => Tensor): Tensor;
  /** Keys and values `[2p, hidden]` that a layer's queries attend to beside their sequence's own. */
  prefix?(layer: number): Tensor;
  /** The end of a sub-layer: what stands for `projected` in LayerNorm(projected + input). Of stacked adapters the next one's. */
  subLayer?(place: Place, end: SubLayer): Tensor;
}

/** A product's own numbers on the host; a method changes them in place. */
export interface ProductWeights {
  /** W `[outputs, inputs]` */
  readonly weight: Float32Array;
  /** b `[outputs]` */
  readonly bias: Float32Array;
  readonly inputs: number;
}

/** Folds the method's parameters, which are asked for by name, into a product's weights. */
export type Merge = (weights: ProductWeights, parameter: (name: string) => Float32Array) => void;

/** Which of the backbone's LayerNorms are trained: γ and β, β alone, or neither. */
export type LayerNormChoice = 'all' | 'biases' | 'none';

/** A method's options as files and resumable states hold them. */
export type MethodOptions = Readonly<Record<string, number | string | readonly string[]>>;

/** A parameter-efficient method, or what one is compared with: what is trained, and where it attaches to the encoder. */
export interface AdapterMethod {
  /** Its name in files: 'houlsby', 'lora', … */
  readonly kind: string;
  /** What it was made with, defaults filled in. */
  readonly options: MethodOptions;
  /** What it adapts where the task does not say, of so many layers; ascending. */
  layers(count: number): readonly number[];
  /** Whether a task may choose other layers. */
  readonly canChooseLayers: boolean;
  /** Which LayerNorms it trains along where the task does not say. */
  readonly layerNorm: LayerNormChoice;
  /** Whether a task may choose otherwise. */
  readonly canChooseLayerNorm: boolean;
  /**
   * What it trains beside LayerNorms and head. A parameter with the name of one of the encoder's takes its place.
   * Throws OptionError where the method's options do not fit the encoder.
   */
  parameters(context: ParameterContext): ParameterSpec[];
  /** Absent where the parameters are all: each takes the place of one of the encoder's. */
  attach?(context: AttachContext): MethodHooks;
  /**
   * What folds it into a product, so that it costs nothing in prediction; undefined for a product that it leaves as it is.
   * Absent where it cannot be folded in, or there is nothing to fold.
   */
  merge?(place: ProductPlace): Merge | undefined;
}

/** Of methods that adapt all layers, or those that the task chooses, and leave LayerNorms to the task. */
export const ANY_LAYERS = {
  layers: (count: number) => Array.from({ length: count }, (_, layer) => layer),
  canChooseLayers: true,
  canChooseLayerNorm: true,
} as const;
