/** How a task is saved: whose layout, in which container, in numbers of how many bits. */

/** Whose files they are. 'auto': those of `adapters` for the methods that it has in common with Graft, else Graft's own. */
export const TASK_FORMATS = ['auto', 'adapterhub', 'peft', 'graft'] as const;
/** One of `TASK_FORMATS`. */
export type TaskFormat = (typeof TASK_FORMATS)[number];

/** How the tensors of a task are stored. */
export interface WeightsOptions {
  /** 'f16' takes half the space and rounds to 11 bits. Default 'f32'. */
  readonly dtype?: 'f32' | 'f16' | undefined;
  /** 'bin' is PyTorch's pickle, for programs that ask for it. Default 'safetensors'. */
  readonly container?: 'safetensors' | 'bin' | undefined;
}

/** How a task is saved. */
export interface SaveOptions extends WeightsOptions {
  /** Default 'auto'. */
  readonly format?: TaskFormat | undefined;
}
