/** `PATH?raw` is a file's content as a string, put in by the bundler and the test runner. */
declare module '*?raw' {
  const text: string;
  export default text;
}
