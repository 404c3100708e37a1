import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../base/byte-writer.ts';
import { isMillraceError } from '../base/errors.ts';
import { openCells, readImage, readVarint, writeImage } from './cell.ts';
import type { ColumnType, Fsp } from './column-type.ts';
import { createTableSchema, type TableSchema } from './table-schema.ts';
import type { Value } from './value.ts';

function schemaOf(types: readonly ColumnType[]): TableSchema {
  const columns = types.map((type, index) => ({ name: `c${index}`, type, nullable: true, nativeType: 'X' }));
  return createTableSchema({ database: 'd', table: 't', columns, primaryKey: [] });
}

function bytesOf(type: ColumnType, value: Value): string {
  const writer = new ByteWriter(1);
  writeImage(schemaOf([type]), [value], writer);
  return Buffer.from(writer.toBytes()).toString('hex');
}

test('cells have the bytes that column-type.ts documents', () => {
  assert.equal(bytesOf({ kind: 'int', bits: 24, unsigned: false }, -2), '00feffffff');
  assert.equal(bytesOf({ kind: 'int', bits: 64, unsigned: true }, 2n ** 64n - 1n), '00ffffffffffffffff');
  assert.equal(bytesOf({ kind: 'bit', length: 3 }, 5n), '000500000000000000');
  assert.equal(bytesOf({ kind: 'decimal', precision: 5, scale: 2, unsigned: false }, '-1.5'), '006affffffffffffff');
  assert.equal(
    bytesOf({ kind: 'decimal', precision: 38, scale: 0, unsigned: false }, '18446744073709551616'),
    '0000000000000000000100000000000000',
  );
  assert.equal(bytesOf({ kind: 'decimal', precision: 65, scale: 1, unsigned: false }, '-0.5'), '00042d302e35');
  assert.equal(bytesOf({ kind: 'date' }, '2021-00-10'), '000aca0f00'); // 2021 << 9 | 10
  assert.equal(bytesOf({ kind: 'time', fsp: 0 }, '-00:00:01'), '00c0bdf0ffffffffff');
  assert.equal(bytesOf({ kind: 'datetime', fsp: 3 }, '0000-00-00 00:01:00.500'), '00000000003c00000020a10700');
  assert.equal(bytesOf({ kind: 'timestamp', fsp: 6 }, '1970-01-01 00:00:01.000002'), '0042420f0000000000');
  assert.equal(bytesOf({ kind: 'timestamp', fsp: 0 }, '0000-00-00 00:00:00'), '000000000000000000');
  assert.equal(bytesOf({ kind: 'text' }, 'é'), '0002c3a9');
  assert.equal(bytesOf({ kind: 'text' }, null), '01');
  assert.equal(bytesOf({ kind: 'text' }, undefined), '02');
});

const fraction = (fsp: Fsp): fc.Arbitrary<string> =>
  fsp === 0 ? fc.constant('') : fc.integer({ min: 0, max: 10 ** fsp - 1 }).map((n) => `.${String(n).padStart(fsp, '0')}`);
const two = (max: number, min = 0): fc.Arbitrary<string> => fc.integer({ min, max }).map((n) => String(n).padStart(2, '0'));
const clock = (fsp: Fsp, maxHours: number): fc.Arbitrary<string> =>
  fc.tuple(two(maxHours), two(59), two(59), fraction(fsp)).map(([h, m, s, f]) => `${h}:${m}:${s}${f}`);
const anyFsp = fc.constantFrom<Fsp>(0, 1, 2, 3, 4, 5, 6);
const anyBytes = fc.uint8Array({ maxLength: 300 });

interface Sample {
  readonly type: ColumnType;
  readonly value: Value;
}

function sample<V extends Value>(type: ColumnType, values: fc.Arbitrary<V>): fc.Arbitrary<Sample> {
  return values.map((value) => ({ type, value }));
}

const ints = fc.tuple(fc.constantFrom<8 | 16 | 24 | 32 | 64>(8, 16, 24, 32, 64), fc.boolean()).chain(([bits, unsigned]) => {
  const min = unsigned ? 0n : -(2n ** BigInt(bits - 1));
  const max = unsigned ? 2n ** BigInt(bits) - 1n : 2n ** BigInt(bits - 1) - 1n;
  const values: fc.Arbitrary<Value> = fc.bigInt({ min, max }).map((n) => (bits === 64 ? n : Number(n)));
  return sample({ kind: 'int', bits, unsigned }, values);
});
const decimals = fc.tuple(fc.integer({ min: 1, max: 65 }), fc.integer({ min: 0, max: 30 })).chain(([precision, wanted]) => {
  const scale = Math.min(precision, wanted);
  const max = 10n ** BigInt(precision) - 1n;
  const values = fc.bigInt({ min: -max, max }).map((unscaled) => {
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
    const point = digits.length - scale;
    return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ''}`;
  });
  return sample({ kind: 'decimal', precision, scale, unsigned: false }, values);
});
const dates = fc.tuple(fc.integer({ min: 0, max: 9999 }), two(12), two(31)).map(([y, m, d]) => `${String(y).padStart(4, '0')}-${m}-${d}`);
const temporals = anyFsp.chain((fsp) =>
  fc.oneof(
    sample({ kind: 'date' }, dates),
    sample(
      { kind: 'time', fsp },
      fc.tuple(fc.boolean(), clock(fsp, 838)).map(([minus, t]) => (minus && /[1-9]/.test(t) ? `-${t}` : t)),
    ),
    sample(
      { kind: 'datetime', fsp },
      fc.tuple(dates, clock(fsp, 23)).map(([d, t]) => `${d} ${t}`),
    ),
    sample(
      { kind: 'timestamp', fsp },
      fc
        .tuple(fc.integer({ min: 1, max: 2 ** 32 - 1 }), fraction(fsp))
        .map(([s, f]) => `${new Date(s * 1000).toISOString().slice(0, 19).replace('T', ' ')}${f}`),
    ),
  ),
);
const samples = fc.oneof(
  ints,
  decimals,
  temporals,
  sample({ kind: 'bit', length: 64 }, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  sample({ kind: 'float', unsigned: false }, fc.float({ noNaN: true, noDefaultInfinity: true })),
  sample({ kind: 'double', unsigned: false }, fc.double({ noNaN: true, noDefaultInfinity: true })),
  sample({ kind: 'year' }, fc.integer({ min: 0, max: 2155 })),
  sample({ kind: 'text' }, fc.string({ unit: 'binary', maxLength: 300 })),
  sample({ kind: 'enum', labels: ['a', 'b'] }, fc.constantFrom('', 'a', 'b')),
  sample({ kind: 'json' }, fc.json()),
  sample({ kind: 'uuid' }, fc.uuid()),
  sample({ kind: 'binary' }, anyBytes),
  sample({ kind: 'geometry' }, anyBytes),
  sample({ kind: 'vector' }, anyBytes),
);
const states = fc.constantFrom<'value' | 'null' | 'absent'>('value', 'value', 'null', 'absent');

test('a written image reads back as the same values, wherever it lies in its bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(samples, states), { minLength: 1, maxLength: 20 }), fc.nat(9), (cells, offset) => {
      const schema = schemaOf(cells.map(([{ type }]) => type));
      const values = cells.map(([{ value }, state]) => (state === 'value' ? value : state === 'null' ? null : undefined));
      const writer = new ByteWriter(1);
      writer.raw(new Uint8Array(offset).fill(0xff), 0, offset);
      writeImage(schema, values, writer);
      const end = writer.length;
      writer.uint8(0xff);
      const back = readImage(schema, writer.bytes, offset, end);
      assert.deepEqual(
        back.map((value) => (value instanceof Uint8Array ? Array.from(value) : value)),
        values.map((value) => (value instanceof Uint8Array ? Array.from(value) : value)),
      );
    }),
  );
});

test('an image that is cut short anywhere, or goes on, is TRUNCATED', () => {
  const schema = schemaOf([{ kind: 'int', bits: 32, unsigned: false }, { kind: 'text' }, { kind: 'datetime', fsp: 0 }]);
  const writer = new ByteWriter();
  writeImage(schema, [1, 'two', '2021-01-02 03:04:05'], writer);
  const bytes = writer.toBytes();
  for (let end = 0; end < bytes.length; end++) {
    assert.throws(
      () => readImage(schema, bytes, 0, end),
      (error) => isMillraceError(error, 'TRUNCATED'),
    );
  }
  writer.uint8(0);
  assert.throws(
    () => readImage(schema, writer.bytes, 0, writer.length),
    (error) => isMillraceError(error, 'TRUNCATED'),
  );
});

test('a value that is not of its column is SCHEMA_MISMATCH', () => {
  const wrong: readonly [ColumnType, Value][] = [
    [{ kind: 'int', bits: 32, unsigned: false }, 1n],
    [{ kind: 'int', bits: 64, unsigned: false }, 1],
    [{ kind: 'text' }, new Uint8Array(1)],
    [{ kind: 'binary' }, 'x'],
    [{ kind: 'decimal', precision: 5, scale: 2, unsigned: false }, '1.234'],
    [{ kind: 'date' }, '2021-1-1'],
  ];
  for (const [type, value] of wrong) {
    assert.throws(
      () => bytesOf(type, value),
      (error) => isMillraceError(error, 'SCHEMA_MISMATCH'),
    );
  }
});

test('a varint of any 32-bit length reads back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
      const writer = new ByteWriter(1);
      writer.varint(value);
      assert.equal(readVarint(openCells(writer.bytes, 0, writer.length)), value);
    }),
  );
});
