/** A word's label and how sure of it the task is. */
export interface LabelledWord {
  readonly label: string;
  readonly score: number;
}

/** Words [start, end) that are one entity. */
export interface EntityRange {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  /** Mean of the words' scores. */
  readonly score: number;
}

/**
 * The entities of labelled words (IOB2: `B-type`, `I-type`, `O`). An I- that continues nothing begins an entity, so that IOB1 is read,
 * too; a label without a prefix is a type, and goes on as long as it stays.
 */
export function entitiesOf(words: readonly LabelledWord[]): EntityRange[] {
  const entities: { type: string; start: number; scores: number[] }[] = [];
  let open: (typeof entities)[number] | undefined;
  words.forEach(({ label, score }, index) => {
    if (label === 'O') {
      open = undefined;
      return;
    }
    const begins = label.startsWith('B-');
    const type = begins || label.startsWith('I-') ? label.slice(2) : label;
    if (begins || open?.type !== type) {
      open = { type, start: index, scores: [] };
      entities.push(open);
    }
    open.scores.push(score);
  });
  return entities.map(({ type, start, scores }) => ({
    type,
    start,
    end: start + scores.length,
    score: scores.reduce((sum, score) => sum + score, 0) / scores.length,
  }));
}
