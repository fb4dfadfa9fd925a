import { GraftError } from '../../errors';
import type { Access, Kernel, Variant } from '../kernel';
import type { Device } from './device';
import { SHADER_STAGE_COMPUTE } from './flags';
import { shaderSources } from './shader-sources';

export interface Pipeline {
  readonly gpu: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Compiles each entry point once per set of constants, all that are asked for at once side by side. */
export class Pipelines {
  readonly #device: Device;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #pipelines = new Map<string, Promise<Pipeline>>();

  constructor(device: Device) {
    this.#device = device;
  }

  get(kernel: Kernel, variant: Variant, constants: Readonly<Record<string, number>>): Promise<Pipeline> {
    const shader = variant.shader ?? kernel.shader;
    const all = { ...variant.constants, ...constants };
    const label = [
      `${shader}/${variant.entryPoint}`,
      ...Object.entries(all).map(([name, value]) => `${name}=${value}`),
    ].join(' ');
    // One entry point serves kernels of different bindings.
    const key = `${label} ${Object.values(kernel.bindings).join()}`;
    let pipeline = this.#pipelines.get(key);
    if (pipeline === undefined) {
      pipeline = this.#create(kernel, variant, all, label);
      this.#pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  async #create(
    kernel: Kernel,
    variant: Variant,
    constants: Readonly<Record<string, number>>,
    label: string,
  ): Promise<Pipeline> {
    const layout = this.#layout(Object.values(kernel.bindings));
    const gpu = await this.#device.gpu.createComputePipelineAsync({
      label,
      layout: this.#device.gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module: this.#module(variant, kernel.shader, constants), entryPoint: variant.entryPoint },
    });
    return { gpu, layout };
  }

  #module(variant: Variant, ownShader: string, constants: Readonly<Record<string, number>>): GPUShaderModule {
    const shader = variant.shader ?? ownShader;
    const enables = variant.subgroupSize === undefined ? '' : 'enable subgroups;\n';
    const prefix = Object.entries(constants).reduce(
      (text, [name, value]) => `${text}const ${name} = ${value}u;\n`,
      enables,
    );
    const key = `${shader}\n${prefix}`;
    let module = this.#modules.get(key);
    if (module === undefined) {
      const sources = shaderSources[shader];
      if (sources === undefined) throw new GraftError(`there is no shader ${shader}`);
      module = this.#device.gpu.createShaderModule({ label: shader, code: prefix + sources.join('\n') });
      this.#modules.set(key, module);
    }
    return module;
  }

  // Layouts are declared, not derived ('auto'): a read binding against a derived read-write layout has given silently
  // wrong data on one stack.
  #layout(accesses: readonly Access[]): GPUBindGroupLayout {
    const key = accesses.map((access) => (access === 'read' ? 'r' : 'w')).join('');
    let layout = this.#layouts.get(key);
    if (layout === undefined) {
      const types: GPUBufferBindingType[] = [
        'uniform',
        'uniform',
        ...accesses.map(
          (access) => (access === 'read' ? 'read-only-storage' : 'storage') satisfies GPUBufferBindingType,
        ),
      ];
      layout = this.#device.gpu.createBindGroupLayout({
        label: key,
        entries: types.map((type, binding) => ({
          binding,
          visibility: SHADER_STAGE_COMPUTE,
          buffer: { type },
        })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}
