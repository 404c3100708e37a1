import { Struct } from '../connect/data.ts';
import type { ConnectValue, Schema, SchemaType } from '../connect/data.ts';
import { Decimal } from '../connect/data.ts';
import { javaText } from '../connect/java-text.ts';
import type { ConnectRecord } from '../connect/record.ts';
import { isPrimitive, logicalName, memoized, valueAt } from '../connect/schema.ts';
import type { PrimitiveType } from '../connect/schema.ts';
import { valueText } from '../connect/values.ts';
import { defineConfig } from '../config/config-def.ts';
import { invalidProperty, replaceNull, sidedTransformation } from './plugin.ts';
import { dataFault, requireMap, requireStruct, schemaOf, valueOf, withFields, withSide } from './record-parts.ts';

const definition = defineConfig({
  spec: {
    type: 'list',
    required: true,
    importance: 'high',
    doc: 'Fields and the types that they are cast to, as field1:type,field2:type; a type alone casts the whole value.',
    check: (spec) => (spec.length === 0 ? 'must name at least one field or type' : undefined),
  },
  ...replaceNull,
});

const targets: readonly PrimitiveType[] = ['int8', 'int16', 'int32', 'int64', 'float32', 'float64', 'boolean', 'string'];

export const cast = sidedTransformation('org.apache.kafka.connect.transforms.Cast', definition, (config, side) => {
  const casts = parseSpec(config.spec);
  const whole = casts.get('');
  const replace = config['replace.null.with.default'];
  const castSchema = memoized((schema) => (whole === undefined ? structSchema(schema, casts) : wholeSchema(schema, whole)));
  const free = (record: ConnectRecord, value: ConnectValue): ConnectRecord => {
    if (whole !== undefined) return withSide(record, side, null, freeNumber(castValue(null, value, whole)));
    const map = new Map(requireMap(value, 'cast types'));
    for (const [field, type] of casts) map.set(field, freeNumber(castValue(null, map.get(field) ?? null, type)));
    return withSide(record, side, null, map);
  };
  return (record) => {
    const value = valueOf(record, side);
    const schema = schemaOf(record, side);
    if (value === null) return record;
    if (schema === null) return free(record, value);
    const target = castSchema(schema);
    if (whole !== undefined) return withSide(record, side, target, castValue(schema, value, whole));
    const struct = requireStruct(value, 'cast types');
    const values = (schema.fields ?? []).map((field, index) => {
      const type = casts.get(field.name);
      const own = valueAt(struct, index, replace);
      return type === undefined ? own : castValue(field.schema, own, type);
    });
    return withSide(record, side, target, new Struct(target, values));
  };
});

/** Types by field; the empty name is the whole value. */
function parseSpec(spec: readonly string[]): ReadonlyMap<string, PrimitiveType> {
  const casts = new Map<string, PrimitiveType>();
  for (const item of spec) {
    const parts = item.split(':').map((part) => part.trim());
    const [field = '', type = field] = parts;
    const target = targets.find((each) => each === type.toLowerCase());
    if (parts.length > 2) throw invalidProperty('spec', `${item} is no field:type`);
    if (target === undefined) throw invalidProperty('spec', `${item}: Cast transformation does not support casting to ${type}`);
    casts.set(parts.length === 1 ? '' : field, target);
  }
  if (casts.has('') && casts.size > 1) {
    throw invalidProperty('spec', 'Cast transformations that specify a type to cast the entire value to may only specify a single cast');
  }
  return casts;
}

function structSchema(schema: Schema, casts: ReadonlyMap<string, PrimitiveType>): Schema {
  const fields = (schema.fields ?? []).map((field) => {
    const type = casts.get(field.name);
    if (type === undefined) return field;
    const { optional, default: fallback } = field.schema;
    const target: Schema = { type, optional };
    return { name: field.name, schema: fallback === undefined ? target : { ...target, default: castValue(field.schema, fallback, type) } };
  });
  return { ...withFields(schema, fields), optional: schema.optional };
}

/** Name, version, doc and parameters stay, as Kafka leaves them. */
function wholeSchema(schema: Schema, type: PrimitiveType): Schema {
  const { fields: _fields, keySchema: _key, valueSchema: _value, default: fallback, ...basics } = schema;
  return { ...basics, type, ...(fallback === undefined ? {} : { default: castValue(schema, fallback, type) }) };
}

/** A number without a schema: integers are bigints. */
function freeNumber(value: ConnectValue): ConnectValue {
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
}

const bits: Readonly<Partial<Record<SchemaType, number>>> = { int8: 8, int16: 16, int32: 32, int64: 64 };

/** @throws TRANSFORMATION_FAILED for a value that the type cannot hold */
function castValue(schema: Schema | null, value: ConnectValue, type: PrimitiveType): ConnectValue {
  if (value === null) return null;
  if (schema !== null && !isPrimitive(schema)) {
    throw dataFault(`Cast transformation does not support casting to/from ${schema.type.toUpperCase()}`);
  }
  const size = bits[type];
  if (size !== undefined) {
    const integer = BigInt.asIntN(size, integerOf(schema, value, size));
    return size === 64 ? integer : Number(integer);
  }
  if (type === 'float32') return Math.fround(doubleOf(schema, value));
  if (type === 'float64') return doubleOf(schema, value);
  if (type === 'boolean') return typeof value === 'string' ? value.toLowerCase() === 'true' : integerOf(schema, value, 64) !== 0n;
  return textOf(schema, value);
}

function textOf(schema: Schema | null, value: ConnectValue): string {
  const isDate = schema?.name === logicalName.date || schema?.name === logicalName.time || schema?.name === logicalName.timestamp;
  return value instanceof Uint8Array || isDate ? valueText(schema, value) : javaText(schema, value);
}

function integerOf(schema: Schema | null, value: ConnectValue, size: number): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number') return Number.isInteger(value) ? clamped(value, size) : clamped(Math.trunc(value), size);
  if (value instanceof Decimal) return value.scale > 0 ? value.unscaled / 10n ** BigInt(value.scale) : value.unscaled;
  if (typeof value === 'string' && /^[+-]?\d+$/.test(value)) {
    const integer = BigInt(value.replace(/^\+/, ''));
    if (BigInt.asIntN(size, integer) === integer) return integer;
  }
  throw outOfRange(schema, value);
}

/** Java takes a floating-point number to the nearest long or int before it cuts off bits. */
function clamped(value: number, size: number): bigint {
  if (Number.isNaN(value)) return 0n;
  const limit = size === 64 ? 2n ** 63n : 2n ** 31n;
  if (value >= Number(limit)) return limit - 1n;
  return value <= -Number(limit) ? -limit : BigInt(value);
}

function doubleOf(schema: Schema | null, value: ConnectValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  const text = value instanceof Decimal ? javaText(schema, value) : typeof value === 'string' ? value.trim() : '';
  const number = Number(text);
  if (text !== '' && !Number.isNaN(number)) return number;
  throw outOfRange(schema, value);
}

function outOfRange(schema: Schema | null, value: ConnectValue): Error {
  return dataFault(`Value (${javaText(schema, value)}) was out of range for requested data type`);
}
