/**
 * Documents in a VARIANT, which keeps neither the text nor all of the numbers; see docs/types.md. The canonical text is what
 * Snowflake prints: members by the bytes of their names, numbers of up to 38 digits without needless zeros. Numbers that it
 * keeps as doubles are printed otherwise than it does, on purpose: no equal texts may hide what was rounded.
 */

type Json = null | boolean | string | JsonNumber | readonly Json[] | ReadonlyMap<string, Json>;

/** A number with all its digits. */
class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Up to 38 digits without an exponent: kept exactly. */
  get exact(): string | undefined {
    const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(this.text) ?? [];
    if (whole === '' || whole.replace(/^0+/, '').length + fraction.length > 38) return undefined;
    const rest = fraction.replace(/0+$/, '');
    const digits = rest === '' ? whole : `${whole}.${rest}`;
    return /[1-9]/.test(digits) ? `${sign}${digits}` : '0';
  }
}

export function canonicalVariant(text: string): string {
  return print(parse(text));
}

/** Whether a document, as canonical text, is the VARIANT's; undefined: a number there is rounded. */
export function isSameVariant(source: string, replica: string): boolean | undefined {
  try {
    return compare(parse(source), parse(replica));
  } catch {
    return undefined;
  }
}

/** A vector's canonical text, in which each number has as few digits as tell it from others of four bytes. */
export function canonicalVectorVariant(numbers: readonly number[]): string {
  return `[${numbers.map(shortest).join(',')}]`;
}

/** Numbers of four bytes have few enough digits: each is told from all others, however it is printed. */
export function isSameVector(source: string, replica: string): boolean {
  const [ours, theirs] = [numbersOf(source), numbersOf(replica)];
  return ours.length === theirs.length && ours.every((value, index) => Object.is(value, theirs[index]));
}

function numbersOf(text: string): readonly number[] {
  const list: unknown = JSON.parse(text);
  return Array.isArray(list) ? list.map((each: unknown) => Math.fround(Number(each)) + 0) : [];
}

function shortest(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return String(rounded);
  }
  return String(Number(value.toPrecision(9)));
}

function parse(text: string): Json {
  // numbers keep their text; a member may be named as it likes
  const value: unknown = JSON.parse(text, (_key: string, each: unknown, context?: { readonly source?: string }): unknown => {
    if (typeof each === 'number') return new JsonNumber(context?.source ?? String(each));
    return typeof each === 'object' && each !== null && !Array.isArray(each) && !(each instanceof JsonNumber)
      ? new Map(Object.entries(each))
      : each;
  });
  if (!isJson(value)) throw new TypeError('no JSON');
  return value;
}

/** What the reviver leaves is that, all the way down. */
function isJson(value: unknown): value is Json {
  return value === null || ['boolean', 'string', 'object'].includes(typeof value);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isMap(value: Json): value is ReadonlyMap<string, Json> {
  return value instanceof Map;
}

function print(value: Json): string {
  if (value instanceof JsonNumber) return value.exact ?? value.text.toUpperCase();
  if (isList(value)) return `[${value.map(print).join(',')}]`;
  if (!isMap(value)) return JSON.stringify(value);
  const members = [...value].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${print(each)}`).join(',')}}`;
}

function compare(a: Json, b: Json): boolean | undefined {
  if (a instanceof JsonNumber && b instanceof JsonNumber) return compareNumbers(a, b);
  if (isList(a) && isList(b)) return a.length === b.length && all(a.map((each, index) => compare(each, b[index] ?? null)));
  if (isMap(a) && isMap(b)) {
    if (a.size !== b.size) return false;
    return all([...a].map(([name, each]) => b.has(name) && compare(each, b.get(name) ?? null)));
  }
  return a === b;
}

function compareNumbers(a: JsonNumber, b: JsonNumber): boolean | undefined {
  if (a.exact !== undefined && b.exact !== undefined) return a.exact === b.exact;
  const [x, y] = [Number(a.text), Number(b.text)];
  // a double is printed with 16 digits, which do not tell it from its neighbours
  return Math.abs(x - y) <= Math.abs(x) * 2e-15 ? undefined : false;
}

function all(parts: readonly (boolean | undefined)[]): boolean | undefined {
  if (parts.includes(false)) return false;
  return parts.includes(undefined) ? undefined : true;
}
