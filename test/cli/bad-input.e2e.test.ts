/** What the built command says to bad input: one line that names the place, status 1, nothing left behind. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../support/checkpoint';

const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.js');
const directory = mkdtempSync(join(tmpdir(), 'graft-bad-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let made = 0;

/** A copy of the small checkpoint with something done to it. */
function checkpoint(change: (path: string) => void): string {
  made += 1;
  const path = join(directory, `checkpoint-${made}`);
  cpSync(goldenPath('bert', 'checkpoint'), path, { recursive: true });
  change(path);
  return path;
}

function editConfig(values: Record<string, unknown>): (path: string) => void {
  return (path) => {
    const file = join(path, 'config.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...values }));
  };
}

function data(content: string | Uint8Array, name = 'data.tsv'): string {
  made += 1;
  const path = join(directory, `${made}-${name}`);
  writeFileSync(path, content);
  return path;
}

const goodData = data('text\tlabel\nlove new\ta\nold end\tb\n');

interface Bad {
  readonly what: string;
  readonly backbone?: () => string;
  readonly train?: () => string;
  readonly more?: readonly string[];
  readonly says: RegExp;
}

const cases: readonly Bad[] = [
  {
    what: 'no weights',
    backbone: () => checkpoint((path) => rmSync(join(path, 'model.safetensors'))),
    says: /model\.safetensors.*checkpoint-/,
  },
  {
    what: 'truncated weights',
    backbone: () => checkpoint((path) => truncateSync(join(path, 'model.safetensors'), 50_000)),
    says: /model\.safetensors/,
  },
  {
    what: 'a header of a terabyte',
    backbone: () =>
      checkpoint((path) => {
        const header = new Uint8Array(64);
        new DataView(header.buffer).setBigUint64(0, 2n ** 40n, true);
        writeFileSync(join(path, 'model.safetensors'), header);
      }),
    says: /model\.safetensors.*1099511627776/,
  },
  {
    what: 'weights of another shape',
    backbone: () => checkpoint(editConfig({ intermediate_size: 128 })),
    says: /model\.safetensors, tensor encoder\.layer\.0\.intermediate\.dense\.weight: its shape is \[256, 64\].*\[128, 64\]/,
  },
  {
    what: 'another type of model',
    backbone: () => checkpoint(editConfig({ model_type: 'gpt2' })),
    says: /config\.json: model_type "gpt2" is not supported/,
  },
  {
    what: 'a vocabulary that does not match the embedding',
    backbone: () =>
      checkpoint((path) => {
        const file = join(path, 'vocab.txt');
        writeFileSync(file, `${readFileSync(file, 'utf8')}more\ntokens\n`);
      }),
    says: /vocab\.txt: it has 202 tokens, but .*config\.json says vocab_size 200/,
  },
  {
    what: 'no such backbone',
    backbone: () => '/no/such/place',
    says: /\/no\/such\/place: no such directory/,
  },
  {
    what: 'an unknown column',
    more: ['--label', 'topic'],
    says: /data\.tsv: has no column "topic"\. Its columns are "text", "label"/,
  },
  {
    what: 'a line without a label',
    train: () => data('text\tlabel\nlove\ta\nend\t\nold\tb\n'),
    says: /data\.tsv, line 3: /,
  },
  { what: 'one label only', train: () => data('text\tlabel\nlove\ta\nend\ta\n'), says: /data\.tsv: .*label/ },
  { what: 'an empty file', train: () => data(''), says: /data\.tsv: is empty/ },
  {
    what: 'invalid UTF-8',
    train: () => data(Uint8Array.from([...Buffer.from('text\tlabel\nlove\ta\n'), 0xff, 0x0a])),
    says: /data\.tsv, line 3: .*UTF-8/,
  },
  { what: 'a file of no known format', train: () => data('x', 'data.xlsx'), says: /data\.xlsx: .*(TSV|tsv)/ },
  { what: 'a length beyond the positions', more: ['--max-length', '500'], says: /maxLength: 500 .*128/ },
  {
    what: 'a layer beyond the encoder',
    more: ['--adapter-layers', '1-2'],
    says: /adapterLayers: 2 .*0 to 1/,
  },
  {
    what: 'an option that the method does not have',
    more: ['--adapter', 'lora', '--bottleneck', '8'],
    says: /bottleneck: the method lora has no such option\. It has rank, alpha/,
  },
  {
    what: 'layers for a method that chooses them itself',
    more: ['--adapter', 'top-k', '--adapter-layers', '0'],
    says: /adapterLayers: the method top-k chooses its layers/,
  },
  {
    what: 'more layers than there are',
    more: ['--adapter', 'top-k', '--top-k', '3'],
    says: /topK: the backbone has 2 layers, fewer than 3/,
  },
  { what: 'a budget below the longest text', more: ['--token-budget', '16'], says: /tokenBudget: 16 .*128/ },
];

function graft(args: readonly string[]): Promise<{ code: unknown; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], (error, _, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stderr });
    });
  });
}

describe('graft train says what is wrong with', { timeout: 60_000 }, () => {
  it.each(cases.map((item) => [item.what, item] as const))(
    '%s',
    async (_, { backbone, train, more, says }) => {
      made += 1;
      const out = join(directory, `out-${made}`);
      const source = backbone?.() ?? goldenPath('bert', 'checkpoint');
      const columns = ['--text', 'text', '--label', 'label'];
      const { code, stderr } = await graft([
        'train',
        '--backbone',
        source,
        '--train',
        train?.() ?? goodData,
        ...columns,
        '--out',
        out,
        '--json',
        ...(more ?? []),
      ]);
      const lines = stderr.split('\n').filter((line) => line.startsWith('graft: '));
      expect(lines.length).toBe(1);
      expect(lines[0]).toMatch(says);
      expect(stderr).not.toContain('    at ');
      expect(code).toBe(1);
      expect(existsSync(join(out, 'adapter.safetensors'))).toBe(false);
      expect(existsSync(join(out, 'checkpoint.graft'))).toBe(false);
    },
  );
});
