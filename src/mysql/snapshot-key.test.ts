import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../base/byte-writer.ts';
import { writeImage } from '../event/cell.ts';
import type { ColumnType } from '../event/column-type.ts';
import type { Value } from '../event/value.ts';
import { KeyReader, compareKeys, keyBetween, keyLiterals, keyOrderOf } from './snapshot-key.ts';
import type { KeyBytes, KeyOrder } from './snapshot-key.ts';
import { column, schemaOf } from './snapshot.fixture.ts';

function orderOf(type: ColumnType): KeyOrder {
  const second: ColumnType = { kind: 'int', bits: 16, unsigned: false };
  const columns = [column('text', { kind: 'text' }), column('id', type, { nullable: false }), column('n', second, { nullable: false })];
  const order = keyOrderOf(schemaOf({ database: 'd', table: 't' }, columns, [1, 2]));
  assert.ok(order !== undefined);
  return order;
}

function keyOf(order: KeyOrder, id: Value, n = 0): KeyBytes {
  const writer = new ByteWriter(64);
  writeImage(order.schema, ['a text before it', id, n], writer);
  const key = new KeyReader(order).read(writer.bytes, 0);
  assert.ok(key !== undefined);
  return key;
}

const pad = (value: number, count: number): string => String(value).padStart(count, '0');
const dates = fc.tuple(fc.nat(9999), fc.nat(12), fc.nat(31)).map(([y, m, d]) => `${pad(y, 4)}-${pad(m, 2)}-${pad(d, 2)}`);
const clocks = fc
  .tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999_999))
  .map(([h, m, s, f]) => `${pad(h, 2)}:${pad(m, 2)}:${pad(s, 2)}.${pad(f, 6)}`);
const compare = <T>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
const decimals = (digits: number, scale: number): fc.Arbitrary<string> =>
  fc.bigInt(-(10n ** BigInt(digits)) + 1n, 10n ** BigInt(digits) - 1n).map((n) => {
    const text = String(n < 0n ? -n : n).padStart(scale + 1, '0');
    return `${n < 0n ? '-' : ''}${text.slice(0, text.length - scale)}.${text.slice(text.length - scale)}`;
  });

/** The values of a type, the order that the server has for them, and the literal that it must get. */
interface Kind<T extends Value> {
  readonly type: ColumnType;
  readonly values: fc.Arbitrary<T>;
  readonly order: (a: T, b: T) => number;
  readonly literal?: (value: T) => string;
}

function check<T extends Value>({ type, values, order, literal = String }: Kind<T>): void {
  const keys = orderOf(type);
  fc.assert(
    fc.property(values, values, fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }), (a, b, n, m) => {
      const [x, y] = [keyOf(keys, a, n), keyOf(keys, b, m)];
      assert.equal(Math.sign(compareKeys(keys, x, y)), Math.sign(order(a, b) || n - m));
      assert.deepEqual(keyLiterals(keys, x), [literal(a), String(n)]);
      if (order(a, b) >= 0) return;
      const middle = keyBetween(keys, x, y);
      if (middle === undefined) return;
      assert.ok(compareKeys(keys, x, middle) < 0 && compareKeys(keys, middle, y) < 0);
    }),
    { numRuns: 300 },
  );
}

test('keys sort, print and halve as the server has them', () => {
  for (const bits of [8, 16, 24, 32] as const) {
    const top = 2 ** bits;
    check({ type: { kind: 'int', bits, unsigned: false }, values: fc.integer({ min: -top / 2, max: top / 2 - 1 }), order: compare });
    check({ type: { kind: 'int', bits, unsigned: true }, values: fc.nat(2 ** 31 - 1).map((n) => n % top), order: compare });
  }
  check({ type: { kind: 'int', bits: 64, unsigned: false }, values: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), order: compare });
  check({ type: { kind: 'int', bits: 64, unsigned: true }, values: fc.bigInt(0n, 2n ** 64n - 1n), order: compare });
  const unscaled = (text: string): bigint => BigInt(text.replace('.', ''));
  for (const [precision, scale] of [
    [5, 2],
    [18, 6],
    [30, 10],
    [38, 1],
  ] as const) {
    const order = (a: string, b: string): number => compare(unscaled(a), unscaled(b));
    check({ type: { kind: 'decimal', precision, scale, unsigned: false }, values: decimals(precision, scale), order });
  }
  check({ type: { kind: 'date' }, values: dates, order: compare, literal: (value) => `'${value}'` });
  const datetimes = fc.tuple(dates, clocks).map(([date, clock]) => `${date} ${clock}`);
  const civil = (value: string): string => `'${value.replace('.000000', '')}'`;
  check({ type: { kind: 'datetime', fsp: 6 }, values: datetimes, order: compare, literal: civil });
  const instants = fc.tuple(fc.date({ min: new Date('1970-01-02'), max: new Date('2106-01-01'), noInvalidDate: true }), clocks);
  const timestamps = fc.oneof(
    instants.map(([date, clock]) => `${date.toISOString().slice(0, 10)} ${clock}`),
    fc.constant('0000-00-00 00:00:00.000000'),
  );
  check({ type: { kind: 'timestamp', fsp: 6 }, values: timestamps, order: compare, literal: civil });
  const bytes = fc.uint8Array({ maxLength: 12 });
  const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
  const byBytes = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b);
  check({ type: { kind: 'binary' }, values: bytes, order: byBytes, literal: (value) => `x'${hex(value)}'` });
  check({
    type: { kind: 'binary', fixedLength: 3 },
    values: fc.uint8Array({ minLength: 3, maxLength: 3 }),
    order: byBytes,
    literal: (value) => `x'${hex(value)}'`,
  });
});

test('halving finds its way into crowded ranges', () => {
  const order = orderOf({ kind: 'int', bits: 64, unsigned: false });
  let [low, high] = [keyOf(order, 0n), keyOf(order, 2n ** 62n)];
  for (let i = 0; i < 61; i++) high = keyBetween(order, low, high) ?? high;
  assert.deepEqual(keyLiterals(order, high)[0], '2');
  low = keyOf(order, 1n, 32_767);
  assert.equal(keyBetween(order, low, high), undefined);
});

test('keys that only the server can compare have no order here', () => {
  const table = (type: ColumnType, nullable = false): unknown =>
    keyOrderOf(schemaOf({ database: 'd', table: 't' }, [column('id', type, { nullable })], [0]));
  for (const type of [{ kind: 'text' }, { kind: 'enum', labels: ['a'] }, { kind: 'double', unsigned: false }, { kind: 'uuid' }] as const) {
    assert.equal(table(type), undefined);
  }
  assert.equal(table({ kind: 'decimal', precision: 39, scale: 0, unsigned: false }), undefined);
  assert.equal(table({ kind: 'date' }, true), undefined);
  assert.equal(keyOrderOf(schemaOf({ database: 'd', table: 't' }, [column('v', { kind: 'date' })], [])), undefined);
});
