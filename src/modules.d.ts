// How the bundler (esbuild) and the test runner (vitest) hand over files that are not TypeScript.

declare module '*.wgsl' {
  const source: string;
  export default source;
}

declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module '*.txt' {
  const text: string;
  export default text;
}
