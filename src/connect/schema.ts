import { Struct } from './data.ts';
import type { ConnectValue, Field, Schema, SchemaType } from './data.ts';

/** Names of the schemas whose values Kafka Connect gives a class of their own. */
export const logicalName = {
  decimal: 'org.apache.kafka.connect.data.Decimal',
  date: 'org.apache.kafka.connect.data.Date',
  time: 'org.apache.kafka.connect.data.Time',
  timestamp: 'org.apache.kafka.connect.data.Timestamp',
} as const;

export type PrimitiveType = Exclude<SchemaType, 'array' | 'map' | 'struct'>;

const primitives = new Map<string, Schema>();

/** The schema of a type without anything else; the same object each time. */
export function primitive(type: PrimitiveType, optional = false): Schema {
  const key = `${type} ${optional}`;
  let schema = primitives.get(key);
  if (schema === undefined) primitives.set(key, (schema = { type, optional }));
  return schema;
}

export function logical(kind: 'date' | 'time' | 'timestamp', optional = false): Schema {
  return { type: kind === 'timestamp' ? 'int64' : 'int32', optional, name: logicalName[kind], version: 1 };
}

export function structOf(fields: readonly Field[], facts: Partial<Omit<Schema, 'type' | 'fields'>> = {}): Schema {
  return { ...facts, type: 'struct', optional: facts.optional ?? false, fields };
}

/** A schema whose values have no type of their own to be told from one another: neither struct, map nor array. */
export function isPrimitive({ type }: Schema): boolean {
  return type !== 'struct' && type !== 'map' && type !== 'array';
}

const positions = new WeakMap<Schema, ReadonlyMap<string, number>>();

/** Index of a field in a struct's values; -1: there is none. */
export function fieldIndex(schema: Schema, name: string): number {
  let known = positions.get(schema);
  if (known === undefined) {
    known = new Map((schema.fields ?? []).map((field, index) => [field.name, index]));
    positions.set(schema, known);
  }
  return known.get(name) ?? -1;
}

export function fieldOf(schema: Schema, name: string): Field | undefined {
  return schema.fields?.[fieldIndex(schema, name)];
}

/** A field's value as `Struct.get` gives it: the default in the place of null. Null when there is no such field. */
export function fieldValue(struct: Struct, name: string, replaceNull = true): ConnectValue {
  return valueAt(struct, fieldIndex(struct.schema, name), replaceNull);
}

export function valueAt({ schema, values }: Struct, index: number, replaceNull: boolean): ConnectValue {
  const value = values[index] ?? null;
  return value === null && replaceNull ? (schema.fields?.[index]?.schema.default ?? null) : value;
}

export function isStruct(value: ConnectValue): value is Struct {
  return value instanceof Struct;
}

export function isMap(value: ConnectValue): value is ReadonlyMap<ConnectValue, ConnectValue> {
  return value instanceof Map;
}

export function isArray(value: ConnectValue): value is readonly ConnectValue[] {
  return Array.isArray(value);
}

/** Makes a schema of another one once, and gives the same for the same from then on. */
export function memoized(make: (schema: Schema) => Schema): (schema: Schema) => Schema {
  const made = new WeakMap<Schema, Schema>();
  return (schema) => {
    let result = made.get(schema);
    if (result === undefined) made.set(schema, (result = make(schema)));
    return result;
  };
}
