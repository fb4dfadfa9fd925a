/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Trains bottleneck adapters on a frozen BERT, on WebGPU or in WebAssembly, in pages, Node and Deno.
 *
 * This file is the public API, and nothing else.
 * @module graft-ml
 */
export { bitfit } from './adapters/bitfit';
export { fullFineTuning } from './adapters/full';
export { headOnly } from './adapters/head';
export { type HoulsbyOptions, houlsby } from './adapters/houlsby';
export { ia3 } from './adapters/ia3';
export { layerNormOnly } from './adapters/layer-norm';
export { LORA_TARGETS, type LoraOptions, type LoraTarget, lora } from './adapters/lora';
export type { AdapterMethod } from './adapters/method';
export { adapterMethod, METHOD_NAMES, type MethodName } from './adapters/methods';
export { type ParallelOptions, parallel } from './adapters/parallel';
export { type PfeifferOptions, pfeiffer } from './adapters/pfeiffer';
export { type PrefixOptions, prefixTuning } from './adapters/prefix';
export { type TopLayersOptions, topLayers } from './adapters/top-k';
export type { DeviceDescription } from './backends/backend';
export type { WeightStorage } from './backends/frozen-matrix';
export type { MeasuredKernel } from './backends/webgpu/kernel-choices';
export { KERNEL_CHOICES, type KernelChoice } from './backends/webgpu/variants';
export {
  AdapterMismatchError,
  DataError,
  DeviceLimitError,
  DeviceLostError,
  DivergedError,
  FileAccessError,
  FileFormatError,
  FileWriteError,
  GraftError,
  NoGPUError,
  OptionError,
  OutOfDeviceMemoryError,
  UnsupportedModelError,
} from './errors';
export { type SaveOptions, TASK_FORMATS, type TaskFormat } from './formats/save-options';
export type { EncoderConfig } from './models/config';
export type { FileProgress, FileSource, OpenOptions, RandomAccessFile } from './platform/files';
export { resolveSource, type SourceLike } from './platform/resolve';
export { type HubSourceOptions, hubEndpoint, isHubId, type UrlSourceOptions } from './platform/url';
export { writeFileAtomic, writeFilesAtomic } from './platform/write';
export type { SelfTestOptions, SelfTestReport } from './reference/self-test';
export type { EncodedBatch, EncodeOptions, Encoding } from './tokenizer/options';
export type { Tokenizer } from './tokenizer/tokenizer';
export type { TracedEncoding, TracedWords, WindowOptions } from './tokenizer/trace';
export type { AverageOptions } from './training/average';
export {
  Backbone,
  type BackboneOptions,
  type EmbedOptions,
  type LoadTaskOptions,
  loadBackbone,
} from './training/backbone';
export type { EntityScores, EntityTypeScores } from './training/entity-metrics';
export { type ExportOptions, exportTask } from './training/export';
export { type InspectedTensor, type Inspection, type InspectOptions, inspectFiles } from './training/inspect';
export { loadTokenizer } from './training/load-tokenizer';
export { createRuntime, Runtime, type RuntimeOptions } from './training/runtime';
export type { SpanPartScores, SpanScores } from './training/span-metrics';
export { type CreateTaskOptions, type PredictOptions, Task } from './training/task';
export { type GroupInput, TaskGroup } from './training/task-group';
export type { TaskOptions } from './training/task-spec';
export type {
  Answer,
  AnswerCandidate,
  ClassificationMetrics,
  ClassificationPrediction,
  ClassWeights,
  DoneReport,
  Entity,
  EpochReport,
  Example,
  LabelledToken,
  Metrics,
  MultiLabelMetrics,
  MultiLabelPrediction,
  Prediction,
  PrefixCacheOption,
  PrefixCacheReport,
  QuestionAnsweringMetrics,
  QuestionAnsweringPrediction,
  QuestionExample,
  QuestionInput,
  RegressionMetrics,
  RegressionPrediction,
  StepReport,
  StepTimings,
  TaskExample,
  TaskInput,
  TaskKind,
  TextInput,
  TextPair,
  TokenClassificationMetrics,
  TokenClassificationPrediction,
  TokenExample,
  TokensInput,
  TrainingOptions,
  TrainingReport,
} from './training/types';
