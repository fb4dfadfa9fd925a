import { DataError } from '../errors';

/** How well entities were found. All in [0, 1]; 0 where nothing was there to be found, or nothing was. */
export interface EntityScores {
  /** Share of the predicted entities that are right: the same tokens and the same type. */
  readonly precision: number;
  /** Share of the actual entities that were found. */
  readonly recall: number;
  /** Harmonic mean of the two. */
  readonly f1: number;
}

/** Scores of the entities of one type. */
export interface EntityTypeScores extends EntityScores {
  /** Actual entities of the type. */
  readonly support: number;
}

/** Scores over all entities (micro averages), and by type. */
export interface EntityMetrics extends EntityScores {
  /** Share of the tokens whose tag was predicted, in [0, 1]. */
  readonly accuracy: number;
  /** By type, sorted by name: what follows the prefix, `_` for a tag without one. */
  readonly byType: Readonly<Record<string, EntityTypeScores>>;
}

/** Tags of every sentence, of every token: `B-person`, `I-person`, `O`. */
export interface EntityOutcome {
  /** The right tags. */
  readonly actual: readonly (readonly string[])[];
  /** The predicted ones, as many. */
  readonly predicted: readonly (readonly string[])[];
}

/**
 * Precision, recall and F1 of whole entities, as seqeval 1.2.2 counts by default, which follows CoNLL's `conlleval`: an entity begins
 * at B- and S-, at another type, and at an I- or E- that follows no entity; it ends after E- and S-, and before what begins the
 * next. So IOB1, IOB2, IOE and IOBES can all be scored, and no tag is refused.
 * @throws DataError for no tokens, and where the two do not have equally many tags
 */
export function entityMetrics({ actual, predicted }: EntityOutcome): EntityMetrics {
  let tokens = 0;
  let hits = 0;
  if (actual.length !== predicted.length) throw unequal('sentences', actual.length, predicted.length);
  for (const [sentence, tags] of actual.entries()) {
    const others = predicted[sentence] ?? [];
    if (tags.length !== others.length)
      throw unequal(`tags of sentence ${sentence + 1}`, tags.length, others.length);
    tokens += tags.length;
    hits += tags.filter((tag, index) => tag === others[index]).length;
  }
  if (tokens === 0) throw new DataError(undefined, undefined, 'there are no examples to score');

  const counts = new Map<string, Counts>();
  const countsOf = (type: string) => {
    const known = counts.get(type) ?? { hits: 0, actual: 0, predicted: 0 };
    counts.set(type, known);
    return known;
  };
  const right = entitiesIn(actual);
  const found = entitiesIn(predicted);
  for (const type of right.values()) countsOf(type).actual++;
  for (const [key, type] of found) {
    countsOf(type).predicted++;
    if (right.has(key)) countsOf(type).hits++;
  }
  const types = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const total = { hits: 0, actual: 0, predicted: 0 };
  for (const [, one] of types) {
    total.hits += one.hits;
    total.actual += one.actual;
    total.predicted += one.predicted;
  }
  return {
    ...scoresOf(total),
    accuracy: hits / tokens,
    byType: Object.fromEntries(types.map(([type, one]) => [type, { ...scoresOf(one), support: one.actual }])),
  };
}

interface Counts {
  hits: number;
  actual: number;
  predicted: number;
}

function scoresOf({ hits, actual, predicted }: Counts): EntityScores {
  const precision = predicted === 0 ? 0 : hits / predicted;
  const recall = actual === 0 ? 0 : hits / actual;
  return { precision, recall, f1: hits === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

/** Prefixes between which an entity ends, or begins, although the type stays the same: `previous` + `next`. */
const ENDS = new Set(['BB', 'BS', 'BO', 'IB', 'IS', 'IO']);
const BEGINS = new Set(['EE', 'EI', 'SE', 'SI', 'OE', 'OI']);

/**
 * The type of every entity, by a key of its place and type. The sentences lie end to end with an O between, and the begin of the
 * last entity outlives it: seqeval gives an entity that ends without having begun (E after an unknown prefix) that begin.
 */
function entitiesIn(sentences: readonly (readonly string[])[]): Map<string, string> {
  const entities = new Map<string, string>();
  let position = 0;
  let begin = 0;
  let prefix = 'O';
  let type = '';
  for (const sentence of sentences) {
    for (const tag of [...sentence, 'O']) {
      const [nextPrefix, nextType] = parseTag(tag);
      const changes = type !== nextType;
      const pair = prefix + nextPrefix;
      if ('ES'.includes(prefix) || ENDS.has(pair) || (changes && !isOutside(prefix))) {
        entities.set(`${begin} ${position} ${type}`, type);
      }
      if ('BS'.includes(nextPrefix) || BEGINS.has(pair) || (changes && !isOutside(nextPrefix)))
        begin = position;
      prefix = nextPrefix;
      type = nextType;
      position++;
    }
  }
  return entities;
}

function isOutside(prefix: string): boolean {
  return prefix === 'O' || prefix === '.';
}

/** `B-a-b` is B of type `a-b`, `B` and `O` have the type `_`, `Bad` is B of type `ad`. */
function parseTag(tag: string): readonly [prefix: string, type: string] {
  const [prefix = 'O'] = tag;
  const rest = tag.slice(prefix.length);
  return [prefix, rest.slice(rest.indexOf('-') + 1) || '_'];
}

function unequal(what: string, actual: number, predicted: number): DataError {
  return new DataError(undefined, undefined, `there are ${actual} ${what} and ${predicted} predicted ones`);
}
