/** The bits of WebGPU's flag namespaces (https://www.w3.org/TR/webgpu/#namespacedef-gpubufferusage): Node has no such globals. */
export const BufferUsage = {
  mapRead: 0x0001,
  copySource: 0x0004,
  copyDestination: 0x0008,
  uniform: 0x0040,
  storage: 0x0080,
  queryResolve: 0x0200,
} as const;

export const MAP_MODE_READ = 1;
export const SHADER_STAGE_COMPUTE = 4;
