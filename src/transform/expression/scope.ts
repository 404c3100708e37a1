import { MillraceError } from '../../base/errors.ts';
import { Decimal, Struct } from '../../connect/data.ts';
import type { ConnectValue, Schema } from '../../connect/data.ts';
import { javaText } from '../../connect/java-text.ts';
import type { ConnectRecord } from '../../connect/record.ts';
import { fieldIndex, isArray, isMap, valueAt } from '../../connect/schema.ts';

/** What the names of an expression stand for. */
export const bindings: Readonly<Record<string, (record: ConnectRecord) => ConnectValue>> = {
  value: (record) => record.value,
  key: (record) => record.key,
  topic: (record) => record.topic,
  valueSchema: (record) => schemaFacts(record.valueSchema),
  keySchema: (record) => schemaFacts(record.keySchema),
  header: headersOf,
  headers: headersOf,
};

function schemaFacts(schema: Schema | null): ConnectValue {
  if (schema === null) return null;
  const { name = null, version = null, type, optional, doc = null } = schema;
  return new Map<ConnectValue, ConnectValue>([
    ['name', name],
    ['version', version],
    ['type', type],
    ['optional', optional],
    ['doc', doc],
  ]);
}

/** The last header of each name. */
function headersOf({ headers }: ConnectRecord): ConnectValue {
  return new Map(
    headers.map(({ name, value }) => [
      name,
      new Map<ConnectValue, ConnectValue>([
        ['value', value],
        ['key', name],
      ]),
    ]),
  );
}

export function evaluationFault(what: string): MillraceError {
  return new MillraceError('TRANSFORMATION_FAILED', what);
}

/** The member of a value by its name, a number's or a text's length; `what` is the text of the value's expression. */
export function memberOf(owner: ConnectValue, name: ConnectValue, what: string): ConnectValue {
  const shown = javaText(null, name);
  if (owner === null) throw evaluationFault(`${what} is null and has no ${shown}; ${what}?.${shown} is null then`);
  if (owner instanceof Struct && typeof name === 'string') {
    const index = fieldIndex(owner.schema, name);
    if (index < 0) throw evaluationFault(`${what} has no field ${name}`);
    return valueAt(owner, index, true);
  }
  if (isMap(owner)) return owner.get(name) ?? null;
  if ((isArray(owner) || typeof owner === 'string') && name === 'length') return owner.length;
  if (isArray(owner) && isNumeric(name)) return owner[Number(name)] ?? null;
  throw evaluationFault(`${what} is ${kindOf(owner)} and has no ${shown}`);
}

export function isNumeric(value: ConnectValue): value is number | bigint | Decimal {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal;
}

export function kindOf(value: ConnectValue): string {
  if (value === null) return 'null';
  if (isNumeric(value)) return 'a number';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'boolean') return 'true or false';
  if (value instanceof Uint8Array) return 'bytes';
  return value instanceof Struct ? 'a struct' : isArray(value) ? 'a list' : 'a map';
}

/** A decimal as a double; its own digits are those of a comparison that doubles can tell. */
export function plainNumber(value: number | bigint | Decimal): number | bigint {
  if (!(value instanceof Decimal)) return value;
  return value.scale === 0 ? value.unscaled : Number(javaText(null, value));
}

export function equals(a: ConnectValue, b: ConnectValue): boolean {
  // oxlint-disable-next-line eqeqeq -- numbers and bigints compare by what they are
  if (isNumeric(a) && isNumeric(b)) return plainNumber(a) == plainNumber(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return a === b;
}

/** Negative, zero or positive. */
export function compare(a: ConnectValue, b: ConnectValue): number {
  if (isNumeric(a) && isNumeric(b)) {
    const [left, right] = [plainNumber(a), plainNumber(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  }
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  throw evaluationFault(`${kindOf(a)} and ${kindOf(b)} are not in any order`);
}
