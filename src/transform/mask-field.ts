import { Decimal, Struct } from '../connect/data.ts';
import type { ConnectValue, Schema, SchemaType } from '../connect/data.ts';
import { javaClass } from '../connect/java-text.ts';
import { isMap, valueAt } from '../connect/schema.ts';
import { defineConfig } from '../config/config-def.ts';
import { replaceNull, sidedTransformation } from './plugin.ts';
import { dataFault, requireMap, requireStruct, schemaOf, valueOf, withSide } from './record-parts.ts';

const definition = defineConfig({
  fields: {
    type: 'list',
    required: true,
    importance: 'high',
    doc: 'Fields that are masked.',
    check: (fields) => (fields.length === 0 ? 'must name at least one field' : undefined),
  },
  replacement: {
    type: 'string',
    importance: 'low',
    doc: "Takes the place of the values, which must be texts or numbers; the type's own zero by default.",
    check: (text) => (text === '' ? 'must not be empty' : undefined),
  },
  ...replaceNull,
});

export const maskField = sidedTransformation('org.apache.kafka.connect.transforms.MaskField', definition, (config, side) => {
  const fields = new Set(config.fields);
  const { replacement } = config;
  const replace = config['replace.null.with.default'];
  const masked = (schema: Schema | null, value: ConnectValue): ConnectValue => {
    if (value === null) return null;
    return replacement === undefined ? zeroOf(schema, value) : replaced(schema, value, replacement);
  };
  return (record) => {
    const schema = schemaOf(record, side);
    const value = valueOf(record, side);
    if (schema === null) {
      const map = new Map(requireMap(value, 'mask fields'));
      for (const field of fields) map.set(field, masked(null, map.get(field) ?? null));
      return withSide(record, side, null, map);
    }
    const struct = requireStruct(value, 'mask fields');
    const values = (struct.schema.fields ?? []).map((field, index) => {
      const own = valueAt(struct, index, replace);
      return fields.has(field.name) ? masked(field.schema, own) : own;
    });
    return withSide(record, side, schema, new Struct(struct.schema, values));
  };
});

function zeroOf(schema: Schema | null, value: ConnectValue): ConnectValue {
  if (typeof value === 'number') return 0;
  if (typeof value === 'bigint') return 0n;
  if (typeof value === 'string') return '';
  if (typeof value === 'boolean') return false;
  // BigDecimal.ZERO has no fraction digits, and JsonConverter fails with those of the schema
  if (value instanceof Decimal) return new Decimal(0n, value.scale);
  if (Array.isArray(value)) return [];
  if (isMap(value)) return new Map();
  throw dataFault(`Cannot mask value of type: class ${javaClass(schema, value)}`);
}

const sizes: Readonly<Partial<Record<SchemaType, number>>> = { int8: 8, int16: 16, int32: 32, int64: 64 };

function replaced(schema: Schema | null, value: ConnectValue, text: string): ConnectValue {
  if (typeof value === 'string') return text;
  if (value instanceof Decimal || typeof value === 'bigint' || typeof value === 'number') {
    const number = numberLike(schema, value, text.trim());
    if (number !== undefined) return number;
    throw dataFault(`Unable to convert ${text} (class java.lang.String) to number`);
  }
  throw dataFault(`Cannot mask value of type ${javaClass(schema, value)} with custom replacement.`);
}

function numberLike(schema: Schema | null, value: Decimal | bigint | number, text: string): ConnectValue | undefined {
  if (value instanceof Decimal) {
    const parts = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(text);
    if (parts === null || (parts[3] ?? '').length > value.scale) return undefined;
    const digits = BigInt((parts[2] ?? '') + (parts[3] ?? '').padEnd(value.scale, '0'));
    return new Decimal(parts[1] === '-' ? -digits : digits, value.scale);
  }
  const size = typeof value === 'bigint' ? 64 : sizes[schema?.type ?? 'float64'];
  if (size === undefined) {
    const number = Number(text);
    return text === '' || Number.isNaN(number) ? undefined : schema?.type === 'float32' ? Math.fround(number) : number;
  }
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const integer = BigInt(text.replace(/^\+/, ''));
  if (BigInt.asIntN(size, integer) !== integer) return undefined;
  return typeof value === 'bigint' ? integer : Number(integer);
}
