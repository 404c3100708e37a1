import { MillraceError } from '../base/errors.ts';
import { Struct } from '../connect/data.ts';
import type { ConnectValue, Field, Schema } from '../connect/data.ts';
import { javaClass } from '../connect/java-text.ts';
import type { ConnectRecord } from '../connect/record.ts';
import { isMap } from '../connect/schema.ts';
import type { Side } from './plugin.ts';

/** A value without schema whose members are named. */
export type FreeMap = ReadonlyMap<ConnectValue, ConnectValue>;

export function schemaOf(record: ConnectRecord, side: Side): Schema | null {
  return side === 'Key' ? record.keySchema : record.valueSchema;
}

export function valueOf(record: ConnectRecord, side: Side): ConnectValue {
  return side === 'Key' ? record.key : record.value;
}

export function withSide(record: ConnectRecord, side: Side, schema: Schema | null, value: ConnectValue): ConnectRecord {
  return side === 'Key' ? { ...record, keySchema: schema, key: value } : { ...record, valueSchema: schema, value };
}

/** What a transformation says of a record that it cannot take: Kafka Connect's DataException. */
export function dataFault(what: string): MillraceError {
  return new MillraceError('TRANSFORMATION_FAILED', what);
}

export function requireStruct(value: ConnectValue, purpose: string): Struct {
  if (value instanceof Struct) return value;
  throw dataFault(`Only Struct objects supported for [${purpose}], found: ${foundText(value)}`);
}

export function requireMap(value: ConnectValue, purpose: string): FreeMap {
  if (isMap(value)) return value;
  throw dataFault(`Only Map objects supported in absence of schema for [${purpose}], found: ${foundText(value)}`);
}

function foundText(value: ConnectValue): string {
  return value === null ? 'null' : javaClass(null, value);
}

/**
 * A struct's schema with other fields: name, version, doc and parameters stay; it is not optional and has no default, as with
 * Kafka's SchemaUtil.copySchemaBasics.
 *
 * @throws TRANSFORMATION_FAILED when two fields have one name
 */
export function withFields(schema: Schema, fields: readonly Field[]): Schema {
  checkNames(fields);
  const { optional: _optional, default: _default, ...basics } = schema;
  return { ...basics, type: 'struct', optional: false, fields };
}

export function checkNames(fields: readonly Field[]): void {
  const names = new Set<string>();
  for (const { name } of fields) {
    if (names.has(name)) throw dataFault(`Cannot create field because of field name duplication ${name}`);
    names.add(name);
  }
}
