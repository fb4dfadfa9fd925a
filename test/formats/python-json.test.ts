import { describe, expect, it } from 'vitest';
import { PythonFloat, pythonJson } from '../../src/formats/python-json';

describe('pythonJson', () => {
  it('writes what json.dump(indent=2, sort_keys=True) writes', () => {
    const value = {
      scaling: new PythonFloat(1),
      phm_init_range: 0.0001,
      tiny: new PythonFloat(1e-12),
      B: null,
      a: [1, 'two', []],
      empty: {},
      left_out: undefined,
    };
    expect(pythonJson(value)).toBe(
      [
        '{',
        '  "B": null,',
        '  "a": [',
        '    1,',
        '    "two",',
        '    []',
        '  ],',
        '  "empty": {},',
        '  "phm_init_range": 0.0001,',
        '  "scaling": 1.0,',
        '  "tiny": 1e-12',
        '}',
      ].join('\n'),
    );
  });
});
