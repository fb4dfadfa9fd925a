import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readClassWeights } from '../../src/cli/class-weights';
import { DataError, FileAccessError, OptionError } from '../../src/index';

const directory = mkdtempSync(join(tmpdir(), 'graft-weights-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(content: string): string {
  const path = join(directory, 'weights.json');
  writeFileSync(path, content);
  return path;
}

describe('--class-weights', () => {
  it.each<[string | undefined, unknown]>([
    [undefined, undefined],
    ['balanced', 'balanced'],
    ['a:1,b:2.5', { a: 1, b: 2.5 }],
    [' a b : 1e-1 ', { 'a b': 0.1 }],
    ['time:12:2', { 'time:12': 2 }],
  ])('reads %o', async (classWeights, expected) => {
    expect(await readClassWeights(classWeights === undefined ? {} : { classWeights })).toEqual(expected);
  });

  it('reads a file, where labels may hold anything', async () => {
    expect(await readClassWeights({ classWeights: file('{"a, b: c": 2, "d": 0.5}') })).toEqual({
      'a, b: c': 2,
      d: 0.5,
    });
  });

  it.each(['equal', 'a', 'a:', ':1', 'a:x', 'a:1,,b:2', 'a:1,a:2', ''])(
    'refuses %o',
    async (classWeights) => {
      await expect(readClassWeights({ classWeights })).rejects.toThrow(OptionError);
      await expect(readClassWeights({ classWeights })).rejects.toThrow(/^--class-weights: /);
    },
  );

  it.each([
    ['{', /weights.json: is not JSON/],
    ['[1]', /weights.json: is not a JSON object/],
    ['{"a": "2"}', /weights.json: the weight of "a" is "2"/],
  ])('refuses a file with %s', async (content, message) => {
    const classWeights = file(content);
    await expect(readClassWeights({ classWeights })).rejects.toThrow(DataError);
    await expect(readClassWeights({ classWeights })).rejects.toThrow(message);
  });

  it('names a file that is not there', async () => {
    const classWeights = join(directory, 'none.json');
    await expect(readClassWeights({ classWeights })).rejects.toThrow(FileAccessError);
  });
});
