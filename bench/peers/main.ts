/** Graft beside its peers: see run.mjs, which bundles and starts this from the repository's root. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Comparison, compare, type Result } from './compare';
import { Contestants } from './comparisons/contestants';
import { forwardComparisons } from './comparisons/forward';
import { productComparisons } from './comparisons/product';
import { stepComparisons } from './comparisons/step';
import { tokenizerComparisons } from './comparisons/tokenizer';
import { trainingComparisons } from './comparisons/training';
import { type Inputs, writeInputs } from './inputs';
import { asJSON, table } from './report';

const { values } = parseArgs({
  options: { only: { type: 'string' }, json: { type: 'string' }, rounds: { type: 'string' } },
});
const root = process.cwd();
const folder = join(root, 'bench', 'peers');
const inputs = await writeInputs(root, join(folder, 'build', 'inputs'));
const all = comparisons(new Contestants(folder), inputs);
const chosen = all.filter(({ name }) => values.only === undefined || name.startsWith(values.only));
if (chosen.length === 0) {
  console.error(
    `There is no comparison ${values.only}; there are ${all.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}
for (const line of absences(inputs)) console.error(line);

const results: Result[] = [];
for (const comparison of chosen) {
  console.error(comparison.title);
  results.push(await compare(withRounds(comparison), inputs.directory, (line) => console.error(line)));
}
for (const result of results) console.log(`\n${table(result)}`);
console.log(
  '\n× time: median time over that of the first row, above 1 is slower. MiB: most resident memory.',
);
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(asJSON(results), null, 2)}\n`);
}

function comparisons(contestants: Contestants, inputs: Inputs): Comparison[] {
  return [
    ...productComparisons(contestants),
    ...stepComparisons(contestants, inputs),
    ...forwardComparisons(contestants, inputs),
    ...tokenizerComparisons(contestants, inputs),
    ...trainingComparisons(contestants, inputs),
  ];
}

function withRounds(comparison: Comparison): Comparison {
  if (values.rounds === undefined) return comparison;
  const rounds = Number(values.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1) {
    throw new RangeError(`--rounds ${values.rounds} is not a whole number of at least 1`);
  }
  return { ...comparison, rounds };
}

function absences({ data, textBytes }: Inputs): string[] {
  const where = 'the shared data are not beside the repository (GRAFT_SHARED says where they are)';
  const missing = ['sst2', 'rte', 'stsb'].filter((name) => !data.has(name));
  return [
    ...(textBytes === undefined ? [`tokenizer: left out, ${where}`] : []),
    ...missing.map((name) => `training-${name}: left out, ${where}`),
  ];
}
