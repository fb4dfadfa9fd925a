/**
 * JSON as Python's `json.dump(…, indent=2, sort_keys=True)` writes it. JavaScript has one type of number, Python has two:
 * `JSON.stringify(1.0)` is `1`, and a reader in Python that asks for a float refuses that.
 */

/** A number that is written with a decimal point whatever its value: `1.0`. */
export class PythonFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export type PythonValue =
  | null
  | boolean
  | number
  | string
  | PythonFloat
  | readonly PythonValue[]
  | { readonly [key: string]: PythonValue | undefined };

/** `value` as text, keys sorted, two spaces a level. A key whose value is undefined is left out. Numbers must be finite. */
export function pythonJson(value: PythonValue, indent = ''): string {
  if (value instanceof PythonFloat) {
    const text = JSON.stringify(value.value);
    return /[.e]/.test(text) ? text : `${text}.0`;
  }
  if (typeof value !== 'object' || value === null) {
    return JSON.stringify(value);
  }
  const inner = `${indent}  `;
  if (isArray(value)) {
    return bracket(
      '[',
      value.map((item) => pythonJson(item, inner)),
      ']',
      indent,
    );
  }
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  const items = entries.flatMap(([key, item]) =>
    item === undefined ? [] : [`${JSON.stringify(key)}: ${pythonJson(item, inner)}`],
  );
  return bracket('{', items, '}', indent);
}

function bracket(open: string, items: readonly string[], close: string, indent: string): string {
  const inner = `${indent}  `;
  return items.length === 0
    ? `${open}${close}`
    : `${open}\n${inner}${items.join(`,\n${inner}`)}\n${indent}${close}`;
}

/** `Array.isArray` does not narrow a readonly array out of a union. */
function isArray(value: PythonValue): value is readonly PythonValue[] {
  return Array.isArray(value);
}
