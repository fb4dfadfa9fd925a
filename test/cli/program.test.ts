import { type Command, CommanderError } from 'commander';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Interrupted } from '../../src/cli/interrupt';
import { describeLayers, layerList } from '../../src/cli/options';
import { createProgram } from '../../src/cli/program';
import { exitCode } from '../../src/cli/run';
import { DataError, GraftError } from '../../src/index';

/** Reads a command line and gives what the command was handed. */
async function read(...argv: string[]): Promise<{ command: string; given: unknown[] }> {
  const calls: { command: string; given: unknown[] }[] = [];
  const record =
    (command: string) =>
    async (...given: unknown[]): Promise<void> => {
      calls.push({ command, given });
    };
  const program = createProgram({
    train: record('train'),
    eval: record('eval'),
    predict: record('predict'),
    average: record('average'),
    tokenize: record('tokenize'),
    inspect: record('inspect'),
    export: record('export'),
    doctor: record('doctor'),
  });
  const quiet = (command: Command) => command.configureOutput({ writeErr() {}, writeOut() {} });
  quiet(program);
  program.commands.forEach(quiet);
  await program.parseAsync(argv, { from: 'user' });
  const [call] = calls;
  if (call === undefined) throw new Error('no command was called');
  return call;
}

const train = ['train', '--backbone', 'b', '--train', 't.tsv', '--text', '0', '--label', 'l', '--out', 'o'];

describe('the options of train', () => {
  it('have the defaults of the recipe', async () => {
    expect(await read(...train)).toEqual({
      command: 'train',
      given: [
        {
          backbone: 'b',
          train: 't.tsv',
          text: '0',
          label: 'l',
          header: true,
          task: 'classification',
          adapter: 'houlsby',
          epochs: 3,
          batchSize: 32,
          learningRate: 3e-4,
          warmup: 0.1,
          weightDecay: 0.01,
          clip: 1,
          biasCorrection: false,
          dropout: 'auto',
          tokenBudget: 'auto',
          recompute: false,
          prefixCache: 'auto',
          seed: 0,
          weights: 'f32',
          backend: 'auto',
          kernels: 'auto',
          out: 'o',
          resume: false,
          json: false,
        },
      ],
    });
  });

  it('are all read', async () => {
    const more =
      '--dev d.csv --text-pair 1 --label-separator ; --no-header --task regression --class-weights a:1,b:2 --adapter lora --bottleneck 8 --layer-norm none ' +
      '--rank 4 --alpha 16 --lora-dropout 0.1 --targets key,attention.output --scaling 2.5 --prefix-length 12 --top-k 3 ' +
      '--epochs 20 --batch-size 16 --learning-rate 1e-3 --warmup 0 --weight-decay 0 --clip 0 --bias-correction ' +
      '--adapter-layers 0,2-3 --prefix-cache disk ' +
      '--dropout 0.2 --max-length 64 --token-budget 2048 --recompute --limit 100 --patience 2 --seed 4294967295 ' +
      '--weights int8 --backend webgpu --kernels tiled --threads 3 --resume --json';
    const { given } = await read(...train, ...more.split(' '));
    expect(given).toEqual([
      {
        backbone: 'b',
        kernels: 'tiled',
        train: 't.tsv',
        dev: 'd.csv',
        text: '0',
        textPair: '1',
        label: 'l',
        labelSeparator: ';',
        header: false,
        task: 'regression',
        classWeights: 'a:1,b:2',
        adapter: 'lora',
        bottleneck: 8,
        rank: 4,
        alpha: 16,
        loraDropout: 0.1,
        targets: ['key', 'attention.output'],
        scaling: 2.5,
        prefixLength: 12,
        topK: 3,
        adapterLayers: [0, 2, 3],
        layerNorm: 'none',
        epochs: 20,
        batchSize: 16,
        learningRate: 1e-3,
        warmup: 0,
        weightDecay: 0,
        clip: 0,
        biasCorrection: true,
        dropout: 0.2,
        maxLength: 64,
        tokenBudget: 2048,
        recompute: true,
        prefixCache: 'disk',
        limit: 100,
        patience: 2,
        seed: 4294967295,
        weights: 'int8',
        backend: 'webgpu',
        threads: 3,
        out: 'o',
        resume: true,
        json: true,
      },
    ]);
  });

  it.each([
    ['--bottleneck', '0'],
    ['--threads', '0'],
    ['--threads', '65'],
    ['--weights', 'f8'],
    ['--bottleneck', '6.5'],
    ['--epochs', '-1'],
    ['--epochs', ''],
    ['--batch-size', '1e3'],
    ['--learning-rate', '0'],
    ['--learning-rate', 'NaN'],
    ['--warmup', '1.1'],
    ['--weight-decay', '-0.1'],
    ['--clip', 'Infinity'],
    ['--dropout', '1'],
    ['--max-length', '2'],
    ['--token-budget', 'many'],
    ['--limit', '0'],
    ['--seed', '4294967296'],
    ['--task', 'ranking'],
    ['--adapter', 'adapters'],
    ['--rank', '0'],
    ['--alpha', '0'],
    ['--lora-dropout', '1'],
    ['--targets', 'query,keys'],
    ['--targets', ''],
    ['--scaling', '0'],
    ['--top-k', '1.5'],
    ['--layer-norm', 'some'],
    ['--adapter-layers', ''],
    ['--adapter-layers', 'all'],
    ['--adapter-layers', '5-3'],
    ['--adapter-layers', '3-'],
    ['--adapter-layers', '-3'],
    ['--adapter-layers', '1-2-3'],
    ['--adapter-layers', '1,,2'],
    ['--adapter-layers', '1.5'],
    ['--adapter-layers', '0-2,2'],
    ['--adapter-layers', '0-999999999'],
    ['--prefix-cache', 'everywhere'],
    ['--backend', 'cuda'],
    ['--no-such-option', ''],
    ['--patience', '2'],
  ])('are a usage error: %s %s', async (flag, value) => {
    const error = await read(...train, `${flag}=${value}`).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CommanderError);
    expect(exitCode(error)).toBe(2);
  });

  it('take the backbone that comes along where none is given', async () => {
    const { given } = await read(...train.toSpliced(train.indexOf('--backbone'), 2));
    expect(given).toMatchObject([{ backbone: 'graft-mini' }]);
  });

  it.each(['--train', '--text', '--label', '--out'])('need %s', async (flag) => {
    const at = train.indexOf(flag);
    const error = await read(...train.toSpliced(at, 2)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CommanderError);
    expect(exitCode(error)).toBe(2);
  });
});

it.each(['token-classification', 'question-answering'])('%s has columns of its own', async (task) => {
  const { given } = await read('train', '--train', 't.json', '--out', 'o', '--task', task);
  expect(given).toMatchObject([{ task, train: 't.json' }]);
});

describe('--adapter-layers', () => {
  const layersOf = async (text: string) => {
    const { given } = await read(...train, `--adapter-layers=${text}`);
    return given[0];
  };

  it('takes numbers and ranges in any order', async () => {
    expect(await layersOf('3-5')).toMatchObject({ adapterLayers: [3, 4, 5] });
    expect(await layersOf('11')).toMatchObject({ adapterLayers: [11] });
    expect(await layersOf(' 4-4, 0 ,2-3')).toMatchObject({ adapterLayers: [0, 2, 3, 4] });
  });

  it('takes anything that describes some layers, and nothing else', async () => {
    const some = fc.uniqueArray(fc.nat(40), { minLength: 1 }).map((layers) => layers.sort((a, b) => a - b));
    await fc.assert(
      fc.asyncProperty(some, async (adapterLayers) => {
        expect(await layersOf(describeLayers(adapterLayers))).toMatchObject({ adapterLayers });
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123,- x') }), (text) => {
        let layers: readonly number[];
        try {
          layers = layerList(text);
        } catch (error) {
          expect(error).toBeInstanceOf(CommanderError);
          return;
        }
        expect(layers.length).toBeGreaterThan(0);
        expect(layers).toEqual([...new Set(layers)].sort((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the other commands', () => {
  it('eval', async () => {
    const argv = 'eval --backbone b --adapter a --data d --text 0 --label 1 --no-header'.split(' ');
    const options = { backbone: 'b', adapter: 'a', data: 'd', text: '0', label: '1', header: false };
    expect(await read(...argv)).toEqual({
      command: 'eval',
      given: [{ ...options, weights: 'f32', backend: 'auto', kernels: 'auto', json: false }],
    });
  });

  it('predict, with its texts', async () => {
    const call = await read('predict', '--backbone', 'b', '--adapter', 'a', '--json', 'one text', 'another');
    const options = {
      backbone: 'b',
      adapter: ['a'],
      weights: 'f32',
      backend: 'auto',
      kernels: 'auto',
      json: true,
    };
    expect(call).toEqual({ command: 'predict', given: [['one text', 'another'], options] });
    const several = await read(
      ...'predict --backbone b --adapter a --adapter c --drop-layers 3 --json text'.split(' '),
    );
    expect(several).toEqual({
      command: 'predict',
      given: [['text'], { ...options, adapter: ['a', 'c'], dropLayers: 3 }],
    });
  });

  it('average', async () => {
    const argv = 'average --backbone b --adapter a --adapter c --weights 1,0.5 --head c --out o'.split(' ');
    const options = { backbone: 'b', adapter: ['a', 'c'], weights: [1, 0.5], head: 'c', out: 'o' };
    expect(await read(...argv)).toEqual({ command: 'average', given: [options] });
    await expect(read(...argv, '--weights', '1,x')).rejects.toThrow(CommanderError);
  });

  it('tokenize and doctor', async () => {
    expect((await read('tokenize', '--backbone', 'b')).given).toEqual([{ backbone: 'b', json: false }]);
    expect((await read('tokenize')).given).toEqual([{ backbone: 'graft-mini', json: false }]);
    expect((await read('doctor', '--json')).given).toEqual([
      { backend: 'auto', kernels: 'auto', json: true },
    ]);
  });

  it('inspect and export', async () => {
    expect((await read('inspect', 'a', '--json')).given).toEqual(['a', { json: true }]);
    const defaults = { format: 'auto', half: false, bin: false, backbone: 'graft-mini' };
    expect((await read('export', 'a', '--out', 'o')).given).toEqual(['a', { out: 'o', ...defaults }]);
    const all = 'export a --out o --format peft --half --bin --backbone b'.split(' ');
    expect((await read(...all)).given).toEqual([
      'a',
      { out: 'o', format: 'peft', half: true, bin: true, backbone: 'b' },
    ]);
  });

  it.each([
    [],
    ['no-such-command'],
    ['eval'],
    ['inspect'],
    ['export', 'a'],
    ['export', 'a', '--out', 'o', '--format', 'x'],
  ])('usage error: %s', async (...argv) => {
    const error = await read(...argv).catch((caught: unknown) => caught);
    expect(exitCode(error)).toBe(2);
  });

  it.each(['--help', '--version'])('%s is none', async (flag) => {
    const error = await read(flag).catch((caught: unknown) => caught);
    expect(exitCode(error)).toBe(0);
  });
});

describe('an error', () => {
  let printed = '';
  beforeEach(() => {
    printed = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  });
  afterEach(() => vi.restoreAllMocks());

  it('of Graft is printed without a stack, and ends with 1', () => {
    expect(exitCode(new DataError('x.tsv', 3, 'the text is empty', 'Fill it in'))).toBe(1);
    expect(printed).toBe('graft: x.tsv, line 3: the text is empty. Fill it in\n');
  });

  it('cannot command the terminal', () => {
    exitCode(new GraftError('label \u001b[2Jx\r\n'));
    expect(printed).toBe('graft: label  [2Jx  \n');
  });

  it('of another kind is a bug: with its stack, 1', () => {
    expect(exitCode(new TypeError('x is undefined'))).toBe(1);
    expect(printed).toMatch(/report it: TypeError: x is undefined\n +at /);
  });

  it('of Ctrl-C ends with 130', () => {
    expect(exitCode(new Interrupted('stopped after step 3'))).toBe(130);
    expect(printed).toBe('graft: stopped after step 3\n');
  });
});
