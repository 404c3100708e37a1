/** JSON with nothing lost: numbers keep their text, objects the order of their members, and a member that comes twice comes twice. */

export type Json = null | boolean | string | JsonNumber | JsonObject | Varying | readonly Json[];

export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Member = readonly [name: string, value: Json];

export class JsonObject {
  readonly members: readonly Member[];

  constructor(members: readonly Member[]) {
    this.members = members;
  }

  get(name: string): Json | undefined {
    return this.members.find(([each]) => each === name)?.[1];
  }

  has(name: string): boolean {
    return this.members.some(([each]) => each === name);
  }

  get names(): readonly string[] {
    return this.members.map(([name]) => name);
  }

  map(change: (value: Json, name: string) => Json): JsonObject {
    return new JsonObject(this.members.map(([name, value]) => [name, change(value, name)]));
  }
}

/** What kind of place varies from run to run; see varying.ts. */
export type VaryingKind = 'time' | 'transaction' | 'file' | 'position' | 'thread' | 'server' | 'uuid' | 'run';

/** A value that differs from run to run: only its shape is compared, and `raw` serves the relations between such values. */
export class Varying {
  readonly kind: VaryingKind;
  readonly raw: string;
  readonly shape: string;

  constructor(kind: VaryingKind, raw: string, shape: string) {
    this.kind = kind;
    this.raw = raw;
    this.shape = shape;
  }
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

const tokenPattern =
  /[ \t\r\n]*(?:("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([[\]{}:,]))/y;

/** @throws SyntaxError with the offset */
export function parseJson(text: string): Json {
  let at = 0;
  let token: RegExpExecArray | null = null;
  const next = (): void => {
    tokenPattern.lastIndex = at;
    token = tokenPattern.exec(text);
    if (token === null) fail('a token is expected');
    at = tokenPattern.lastIndex;
  };
  const fail = (what: string): never => {
    throw new SyntaxError(`${what} at offset ${at}: ${text.slice(at, at + 40)}`);
  };
  const peek = (): string => {
    const saved = at;
    next();
    at = saved;
    return token?.[4] ?? '';
  };
  const take = (): readonly (string | undefined)[] => {
    next();
    return token ?? [];
  };
  const expect = (sign: string): void => {
    if (take()[4] !== sign) fail(`"${sign}" is expected`);
  };
  const string = (): string => {
    const [, quoted] = take();
    return quoted === undefined ? fail('a string is expected') : String(JSON.parse(quoted));
  };
  const items = <Item>(end: string, one: () => Item): Item[] => {
    const list: Item[] = [];
    if (peek() === end) {
      next();
      return list;
    }
    for (;;) {
      list.push(one());
      const [, , , , sign] = take();
      if (sign === end) return list;
      if (sign !== ',') fail(`"," or "${end}" is expected`);
    }
  };
  const value = (): Json => {
    const [, quoted, number, word, sign] = take();
    if (quoted !== undefined) return String(JSON.parse(quoted));
    if (number !== undefined) return new JsonNumber(number);
    if (word !== undefined) return word === 'null' ? null : word === 'true';
    if (sign === '[') return items(']', value);
    if (sign !== '{') return fail('a value is expected');
    return new JsonObject(
      items('}', (): Member => {
        const name = string();
        expect(':');
        return [name, value()];
      }),
    );
  };
  const whole = value();
  if (text.slice(at).trim() !== '') fail('nothing more is expected');
  return whole;
}

/** The text of a value, without blanks. */
export function printJson(value: Json): string {
  if (value instanceof JsonNumber) return value.text;
  if (value instanceof Varying) return `"<${value.kind}: ${value.shape}>"`;
  if (value instanceof JsonObject) {
    return `{${value.members.map(([name, each]) => `${JSON.stringify(name)}:${printJson(each)}`).join(',')}}`;
  }
  if (isList(value)) return `[${value.map(printJson).join(',')}]`;
  return JSON.stringify(value);
}
