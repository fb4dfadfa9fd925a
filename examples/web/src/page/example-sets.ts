/** The example sets that come with the page, as files beside it (examples/data). */
export interface ExampleSet {
  readonly file: string;
  readonly name: string;
  readonly about: string;
}

export const EXAMPLE_SETS: readonly ExampleSet[] = [
  { file: 'messages.tsv', name: 'Messages to a shop', about: 'Five topics: delivery, billing, returns, …' },
  { file: 'reviews.tsv', name: 'Reviews', about: 'Of films, meals, gadgets: positive or negative' },
  { file: 'requests.tsv', name: 'Requests to an office', about: 'By urgency: now, soon, whenever' },
];

export async function fetchExampleSet({ file }: ExampleSet): Promise<File> {
  const response = await fetch(new URL(`./data/${file}`, import.meta.url));
  if (!response.ok) {
    throw new Error(`${file} could not be fetched (status ${response.status})`);
  }
  return new File([await response.blob()], file);
}
