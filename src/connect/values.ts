import { Decimal, Struct } from './data.ts';
import type { ConnectValue, Schema, SchemaType } from './data.ts';
import { javaText } from './java-text.ts';
import { isArray, isMap, logical, logicalName, primitive } from './schema.ts';

/*
 * Text of values as `org.apache.kafka.connect.data.Values` writes and reads it: SimpleHeaderConverter, InsertHeader.
 */

export interface SchemaAndValue {
  readonly schema: Schema | null;
  readonly value: ConnectValue;
}

const dayMs = 86_400_000;

/** A value as text; texts inside of others are quoted, and in these quotes and backslashes escaped. */
export function valueText(schema: Schema | null, value: ConnectValue, embedded = false): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return embedded ? quoted(value) : value;
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value).toString('base64');
    return embedded ? `"${text}"` : text;
  }
  if (value instanceof Struct) {
    const members = (value.schema.fields ?? []).map((field, index) => {
      const member = value.values[index] ?? field.schema.default ?? null;
      return `${quoted(field.name)}:${valueText(field.schema, member, true)}`;
    });
    return `{${members.join(',')}}`;
  }
  if (isMap(value)) {
    const pairs = Array.from(
      value,
      ([key, each]) => `${valueText(schema?.keySchema ?? null, key, true)}:${valueText(schema?.valueSchema ?? null, each, true)}`,
    );
    return `{${pairs.join(',')}}`;
  }
  if (isArray(value)) return `[${value.map((each) => valueText(schema?.valueSchema ?? null, each, true)).join(',')}]`;
  const ms = logicalMs(schema, value);
  return ms === undefined ? javaText(schema, value) : dateText(ms);
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, (char) => `\\${char}`)}"`;
}

/** Milliseconds since the epoch of a Date, Time or Timestamp; undefined for any other value. */
function logicalMs(schema: Schema | null, value: ConnectValue): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  if (schema?.name === logicalName.date) return Number(value) * dayMs;
  if (schema?.name === logicalName.time || schema?.name === logicalName.timestamp) return Number(value);
  return undefined;
}

/** Kafka Connect tells the three apart by the value alone. */
function dateText(ms: number): string {
  const text = new Date(ms).toISOString();
  if (ms < dayMs) return text.slice(11);
  return ms % dayMs === 0 ? text.slice(0, 10) : text;
}

/** The value of a text: a boolean, number, date, time, timestamp, array or map where it looks like one, else the text itself. */
export function parseValue(text: string): SchemaAndValue {
  const asText: SchemaAndValue = { schema: primitive('string'), value: text };
  if (text === '') return asText;
  if (text === 'null') return { schema: null, value: null };
  const reader: TokenReader = { tokens: tokensOf(text), at: 0 };
  try {
    const parsed = parseNext(reader, false);
    return parsed === undefined || reader.at < reader.tokens.length ? asText : parsed;
  } catch (error) {
    if (error instanceof NotAValue) return asText;
    throw error;
  }
}

interface TokenReader {
  readonly tokens: readonly string[];
  at: number;
}

class NotAValue extends Error {}

/** Delimiters are tokens; what a backslash precedes is none. */
function tokensOf(text: string): readonly string[] {
  return text.match(/[,:"[\]{}]|(?:\\.|[^,:"[\]{}\\]|\\$)+/gs) ?? [];
}

/** Undefined: null. */
function parseNext(reader: TokenReader, embedded: boolean): SchemaAndValue | undefined {
  const { tokens } = reader;
  const token = tokens[reader.at]?.trim();
  if (token === undefined) throw new NotAValue();
  if (token === '' && embedded) {
    reader.at++;
    return parseNext(reader, embedded);
  }
  if (embedded && token === 'null') {
    reader.at++;
    return undefined;
  }
  if (embedded && token === '"') return parseQuoted(reader);
  if (token === 'true' || token === 'false') {
    reader.at++;
    return { schema: primitive('boolean'), value: token === 'true' };
  }
  if (token === '[') return parseArray(reader);
  if (token === '{') return parseMap(reader);
  const whole = tokens
    .slice(reader.at, reader.at + 5)
    .join('')
    .trim();
  const temporal = parseTemporal(whole);
  if (temporal !== undefined) {
    reader.at += Math.min(5, tokens.length - reader.at);
    return temporal;
  }
  reader.at++;
  const found = parseTemporal(token) ?? parseNumber(token);
  if (found === undefined) throw new NotAValue();
  return found;
}

function parseQuoted(reader: TokenReader): SchemaAndValue {
  reader.at++;
  let content = '';
  for (;;) {
    const token = reader.tokens[reader.at++];
    if (token === undefined) throw new NotAValue();
    if (token === '"') break;
    content += token.replaceAll(/\\(.)/gs, '$1');
  }
  return parseTemporal(content) ?? { schema: primitive('string'), value: content };
}

function parseArray(reader: TokenReader): SchemaAndValue {
  reader.at++;
  const items: (SchemaAndValue | undefined)[] = [];
  while (!consume(reader, ']')) {
    if (items.length > 0 && !consume(reader, ',')) throw new NotAValue();
    items.push(parseNext(reader, true));
  }
  const schema = commonSchema(items);
  return {
    schema: { type: 'array', optional: false, ...(schema === undefined ? {} : { valueSchema: schema }) },
    value: items.map((item) => aligned(item, schema)),
  };
}

function parseMap(reader: TokenReader): SchemaAndValue {
  reader.at++;
  const pairs: (readonly [SchemaAndValue, SchemaAndValue | undefined])[] = [];
  while (!consume(reader, '}')) {
    if (pairs.length > 0 && !consume(reader, ',')) throw new NotAValue();
    const key = parseNext(reader, true);
    if (key === undefined || !consume(reader, ':')) throw new NotAValue();
    pairs.push([key, parseNext(reader, true)]);
  }
  const keySchema = commonSchema(pairs.map(([key]) => key));
  const valueSchema = commonSchema(pairs.map(([, value]) => value));
  return {
    schema: {
      type: 'map',
      optional: false,
      ...(keySchema === undefined ? {} : { keySchema }),
      ...(valueSchema === undefined ? {} : { valueSchema }),
    },
    value: new Map(pairs.map(([key, value]) => [aligned(key, keySchema), aligned(value, valueSchema)])),
  };
}

function peek(reader: TokenReader): string | undefined {
  while (reader.tokens[reader.at]?.trim() === '') reader.at++;
  return reader.tokens[reader.at];
}

function consume(reader: TokenReader, delimiter: string): boolean {
  if (peek(reader) !== delimiter) return false;
  reader.at++;
  return true;
}

const widths: readonly SchemaType[] = ['int8', 'int16', 'int32', 'int64', 'float32', 'float64'];

/** The schema that all of them fit; undefined: there is none, or all are null. */
function commonSchema(items: readonly (SchemaAndValue | undefined)[]): Schema | undefined {
  let common: Schema | undefined;
  for (const schema of items.flatMap((item) => item?.schema ?? [])) {
    if (common === undefined) common = schema;
    else if (schema.type === common.type && schema.name === common.name) continue;
    else if (widths.includes(schema.type) && widths.includes(common.type) && schema.name === undefined && common.name === undefined) {
      if (widths.indexOf(schema.type) > widths.indexOf(common.type)) common = schema;
    } else return undefined;
  }
  return common;
}

/** A number in the form of a wider type. */
function aligned(item: SchemaAndValue | undefined, schema: Schema | undefined): ConnectValue {
  const value = item?.value ?? null;
  if (schema?.type === 'int64' && typeof value === 'number') return BigInt(value);
  if (schema !== undefined && schema.type.startsWith('float') && typeof value === 'bigint') return Number(value);
  return value;
}

function parseTemporal(text: string): SchemaAndValue | undefined {
  const plain = text.replaceAll('\\:', ':');
  if (/^\d{4}-\d\d-\d\d$/.test(plain)) {
    const ms = Date.parse(`${plain}T00:00:00Z`);
    return Number.isNaN(ms) ? undefined : { schema: logical('date'), value: ms / dayMs };
  }
  if (/^\d\d:\d\d:\d\d\.\d{3}Z$/.test(plain)) {
    const ms = Date.parse(`1970-01-01T${plain}`);
    return Number.isNaN(ms) ? undefined : { schema: logical('time'), value: ms };
  }
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(plain)) {
    const ms = Date.parse(plain);
    return Number.isNaN(ms) ? undefined : { schema: logical('timestamp'), value: BigInt(ms) };
  }
  return undefined;
}

/** The narrowest type that holds it. */
function parseNumber(text: string): SchemaAndValue | undefined {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text);
  if (parts === null || !/^[+-]?\d/.test(text)) return undefined;
  const [, sign = '', whole = '', fraction = '', power = '0'] = parts;
  const scale = fraction.length - Number(power);
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  const unit = 10n ** BigInt(Math.max(0, scale));
  if (digits % unit === 0n) {
    const integer = scale > 0 ? digits / unit : digits * 10n ** BigInt(-scale);
    if (BigInt.asIntN(8, integer) === integer) return { schema: primitive('int8'), value: Number(integer) };
    if (BigInt.asIntN(16, integer) === integer) return { schema: primitive('int16'), value: Number(integer) };
    if (BigInt.asIntN(32, integer) === integer) return { schema: primitive('int32'), value: Number(integer) };
    if (BigInt.asIntN(64, integer) === integer) return { schema: primitive('int64'), value: integer };
  }
  const value = Number(text);
  if (scale !== 0 && Number.isFinite(Math.fround(value))) return { schema: primitive('float32'), value: Math.fround(value) };
  if (scale !== 0 && Number.isFinite(value)) return { schema: primitive('float64'), value };
  const schema: Schema = {
    type: 'bytes',
    optional: false,
    name: logicalName.decimal,
    version: 1,
    parameters: new Map([['scale', String(scale)]]),
  };
  return { schema, value: new Decimal(digits, scale) };
}
