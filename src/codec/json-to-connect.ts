import { Decimal, Struct } from '../connect/data.ts';
import type { ConnectValue, Field, Schema, SchemaType } from '../connect/data.ts';
import { fieldIndex, logicalName } from '../connect/schema.ts';
import { conversionFault } from './connect-json.ts';
import { jsonLabel, type JsonReader } from './decode/json-reader.ts';

export interface ReadForm {
  /** `replace.null.with.default`. */
  readonly replaceNullWithDefault: boolean;
  /** A null in a field that has none is an error. */
  readonly strict: boolean;
}

const openBrace = 0x7b;
const openBracket = 0x5b;
const quote = 0x22;

/** Reads the next value, which has this schema. @throws CONVERSION_FAILED */
export function readValue(reader: JsonReader, schema: Schema, form: ReadForm): ConnectValue {
  if (reader.takeNull()) return ofNull(schema, form);
  switch (schema.type) {
    case 'struct':
      return readStruct(reader, schema, form);
    case 'string':
      return reader.text();
    case 'int8':
    case 'int16':
    case 'int32':
      return reader.integer() ?? readNumber(reader);
    case 'int64': {
      const small = reader.integer();
      return small === undefined ? readBigint(reader) : BigInt(small);
    }
    case 'float32':
      return Math.fround(readNumber(reader));
    case 'float64':
      return readNumber(reader);
    case 'boolean':
      return readBoolean(reader);
    case 'bytes':
      return schema.name === logicalName.decimal ? readDecimal(reader, schema) : readBase64(reader);
    case 'array':
      return readItems(reader, schema.valueSchema, form);
    case 'map':
      return readMap(reader, schema, form);
  }
}

/** Reads the next value without a schema: integers are bigints, other numbers doubles. */
export function readFree(reader: JsonReader): ConnectValue {
  if (reader.takeNull()) return null;
  const byte = reader.peek();
  if (byte === quote) return reader.text();
  if (byte === openBracket) return readItems(reader, undefined, lenient);
  if (byte === openBrace) {
    const map = new Map<ConnectValue, ConnectValue>();
    if (!reader.enterObject()) return map;
    do map.set(reader.name(), readFree(reader));
    while (reader.next());
    return map;
  }
  const token = reader.token();
  if (token === 'true') return true;
  if (token === 'false') return false;
  if (/^-?\d+$/.test(token)) return BigInt(token);
  return numberOf(reader, token);
}

const lenient: ReadForm = { replaceNullWithDefault: false, strict: false };

function ofNull(schema: Schema, { replaceNullWithDefault, strict }: ReadForm): ConnectValue {
  if (replaceNullWithDefault && schema.default !== undefined) return schema.default;
  if (strict && !schema.optional) throw conversionFault(`Invalid null value for required ${schema.type.toUpperCase()} field`);
  return null;
}

const labels = new WeakMap<Schema, readonly Uint8Array[]>();

function labelsOf(schema: Schema): readonly Uint8Array[] {
  let known = labels.get(schema);
  if (known === undefined) labels.set(schema, (known = (schema.fields ?? []).map((field) => jsonLabel(field.name))));
  return known;
}

function readStruct(reader: JsonReader, schema: Schema, form: ReadForm): Struct {
  const fields = schema.fields ?? [];
  const known = labelsOf(schema);
  const values: ConnectValue[] = [];
  let seen = 0;
  if (reader.enterObject()) {
    // members nearly always come in the schema's order
    let next = 0;
    do {
      const label = known[next];
      const index = label !== undefined && reader.takeLabel(label) ? next : fieldIndex(schema, reader.name());
      const field = fields[index];
      if (field === undefined) {
        reader.skip();
        continue;
      }
      while (values.length < index) values.push(null);
      values[index] = readValue(reader, field.schema, form);
      seen++;
      next = index + 1;
    } while (reader.next());
  }
  while (values.length < fields.length) values.push(null);
  if (seen < fields.length && (form.strict || form.replaceNullWithDefault)) {
    for (const [index, field] of fields.entries()) values[index] ??= ofNull(field.schema, form);
  }
  return new Struct(schema, values);
}

function readItems(reader: JsonReader, item: Schema | undefined, form: ReadForm): ConnectValue[] {
  const items: ConnectValue[] = [];
  if (!reader.enterArray()) return items;
  do items.push(item === undefined ? readFree(reader) : readValue(reader, item, form));
  while (reader.next());
  return items;
}

function readMap(reader: JsonReader, { keySchema, valueSchema }: Schema, form: ReadForm): ReadonlyMap<ConnectValue, ConnectValue> {
  const map = new Map<ConnectValue, ConnectValue>();
  const value = (): ConnectValue => (valueSchema === undefined ? readFree(reader) : readValue(reader, valueSchema, form));
  if (keySchema?.type === 'string') {
    if (!reader.enterObject()) return map;
    do map.set(reader.name(), value());
    while (reader.next());
    return map;
  }
  if (!reader.enterArray()) return map;
  do {
    if (!reader.enterArray()) throw reader.fault('a pair is due');
    const key = keySchema === undefined ? readFree(reader) : readValue(reader, keySchema, form);
    if (!reader.next()) throw reader.fault('a pair is due');
    map.set(key, value());
    if (reader.next()) throw reader.fault('a pair has two members');
  } while (reader.next());
  return map;
}

function readBoolean(reader: JsonReader): boolean {
  const token = reader.token();
  if (token !== 'true' && token !== 'false') throw reader.fault('true or false is due');
  return token === 'true';
}

function readNumber(reader: JsonReader): number {
  if (reader.peek() === quote) return numberOf(reader, reader.text());
  return numberOf(reader, reader.token());
}

function numberOf(reader: JsonReader, text: string): number {
  const value = Number(text);
  if (text === '' || (Number.isNaN(value) && text !== 'NaN')) throw reader.fault('a number is due');
  return value;
}

function readBigint(reader: JsonReader): bigint {
  const token = reader.token();
  if (/^-?\d+$/.test(token)) return BigInt(token);
  const value = Number(token);
  if (!Number.isFinite(value)) throw reader.fault('a whole number is due');
  return BigInt(Math.trunc(value));
}

function readBase64(reader: JsonReader): Uint8Array {
  return new Uint8Array(Buffer.from(reader.text(), 'base64'));
}

/** Base64 of the unscaled value, or a number. */
function readDecimal(reader: JsonReader, schema: Schema): Decimal {
  const scale = Number(schema.parameters?.get('scale') ?? 0);
  if (reader.peek() !== quote) return parseDecimal(reader.token(), scale) ?? readFault(reader);
  const bytes = Buffer.from(reader.text(), 'base64');
  return new Decimal(bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`)), scale);
}

function readFault(reader: JsonReader): never {
  throw reader.fault('a decimal is due');
}

/** A decimal's text, scientific too, in this scale; undefined where it is none, or has more digits. */
function parseDecimal(text: string, scale: number): Decimal | undefined {
  const parts = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text);
  if (parts === null) return undefined;
  const [, sign = '', whole = '', fraction = '', power = '0'] = parts;
  if (whole === '' && fraction === '') return undefined;
  const own = fraction.length - Number(power);
  const digits = BigInt(whole + fraction);
  const unscaled = own <= scale ? digits * 10n ** BigInt(scale - own) : digits / 10n ** BigInt(own - scale);
  return new Decimal(sign === '-' ? -unscaled : unscaled, scale);
}

const typesByName: ReadonlyMap<string, SchemaType> = new Map<string, SchemaType>([
  ['float', 'float32'],
  ['double', 'float64'],
  ...(['int8', 'int16', 'int32', 'int64', 'boolean', 'string', 'bytes', 'array', 'map', 'struct'] as const).map(
    (name): [string, SchemaType] => [name, name],
  ),
]);

/** Reads a schema as JsonConverter writes it; null for null. @throws CONVERSION_FAILED */
export function readSchema(reader: JsonReader): Schema | null {
  return reader.takeNull() ? null : readField(reader).schema;
}

/** A schema with the name that it has as a struct's member. */
function readField(reader: JsonReader): Field {
  const facts: { -readonly [K in keyof Schema]?: Schema[K] } = {};
  let field = '';
  let defaultAt = -1;
  const nested = (): Schema => readSchema(reader) ?? readMissing(reader);
  if (reader.enterObject()) {
    do {
      const name = reader.name();
      if (reader.takeNull()) continue;
      switch (name) {
        case 'type':
          facts.type = typesByName.get(reader.text()) ?? readMissing(reader);
          break;
        case 'optional':
          facts.optional = readBoolean(reader);
          break;
        case 'name':
          facts.name = reader.text();
          break;
        case 'version':
          facts.version = reader.integer() ?? readMissing(reader);
          break;
        case 'doc':
          facts.doc = reader.text();
          break;
        case 'field':
          field = reader.text();
          break;
        case 'fields':
          facts.fields = readFields(reader);
          break;
        case 'keys':
          facts.keySchema = nested();
          break;
        case 'values':
        case 'items':
          facts.valueSchema = nested();
          break;
        case 'parameters':
          facts.parameters = readParameters(reader);
          break;
        case 'default':
          defaultAt = reader.at;
          reader.skip();
          break;
        default:
          reader.skip();
      }
    } while (reader.next());
  }
  const { type } = facts;
  if (type === undefined) return readMissing(reader);
  const schema: Schema = { ...facts, type, optional: facts.optional ?? false };
  if (defaultAt < 0) return { name: field, schema };
  // the default is in the form that the rest of the schema tells
  const behind = reader.at;
  reader.at = defaultAt;
  const fallback = readValue(reader, schema, lenient);
  reader.at = behind;
  return { name: field, schema: { ...schema, default: fallback } };
}

function readFields(reader: JsonReader): readonly Field[] {
  const fields: Field[] = [];
  if (!reader.enterArray()) return fields;
  do fields.push(readField(reader));
  while (reader.next());
  return fields;
}

function readParameters(reader: JsonReader): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  if (!reader.enterObject()) return parameters;
  do parameters.set(reader.name(), reader.text());
  while (reader.next());
  return parameters;
}

function readMissing(reader: JsonReader): never {
  throw reader.fault('a schema is due');
}
