import assert from 'node:assert/strict';
import { Struct } from '../connect/data.ts';
import type { ConnectValue, Schema } from '../connect/data.ts';
import type { ConnectRecord } from '../connect/record.ts';
import { logical, primitive, structOf } from '../connect/schema.ts';
import { applyTransformations, openTransformations } from './transformation-chain.ts';

/* Test support: records, and transformations of them by their properties. */

export type PlainFields = Readonly<Record<string, readonly [schema: Schema, value: ConnectValue]>>;

export const int32 = primitive('int32');
export const int64 = primitive('int64');
export const text = primitive('string');
export const optionalText = primitive('string', true);
export const timestamp = logical('timestamp');

export function struct(fields: PlainFields, facts: Partial<Omit<Schema, 'type' | 'fields'>> = {}): Struct {
  const entries = Object.entries(fields);
  const schema = structOf(
    entries.map(([name, [fieldSchema]]) => ({ name, schema: fieldSchema })),
    facts,
  );
  return new Struct(
    schema,
    entries.map(([, [, value]]) => value),
  );
}

/** A record of a struct, or of a value without schema. */
export function recordOf(value: ConnectValue, facts: Partial<ConnectRecord> = {}): ConnectRecord {
  return {
    topic: 'shop.shop.orders',
    partition: null,
    keySchema: null,
    key: null,
    valueSchema: value instanceof Struct ? value.schema : null,
    value,
    timestamp: null,
    headers: [],
    ...facts,
  };
}

/** The record after one transformation with these properties, its class by the end of its name. */
export function transform(type: string, properties: Readonly<Record<string, string>>, record: ConnectRecord): ConnectRecord | null {
  const config: Record<string, string> = { transforms: 't', 'transforms.t.type': type };
  for (const [name, value] of Object.entries(properties)) config[`transforms.t.${name}`] = value;
  return applyTransformations(openTransformations(config), record);
}

/** What a struct holds, by the names of its fields. */
export function membersOf(value: ConnectValue | undefined): Readonly<Record<string, ConnectValue>> {
  assert.ok(value instanceof Struct, 'a struct');
  return Object.fromEntries((value.schema.fields ?? []).map((field, index) => [field.name, value.values[index] ?? null]));
}

/** A map without schema. */
export function free(members: Readonly<Record<string, ConnectValue>>): ReadonlyMap<ConnectValue, ConnectValue> {
  return new Map(Object.entries(members));
}

export const kafka = 'org.apache.kafka.connect.transforms.';
