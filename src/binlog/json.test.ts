import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../base/byte-writer.ts';
import { isMillraceError } from '../base/errors.ts';
import { writeJsonText, writeMarkedJsonText } from './json.ts';
import { readJsonDiffs } from './json-diff.ts';
import { writeDouble } from './number-text.ts';

function textOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  const target = new ByteWriter(1);
  target.uint8(0x2a);
  writeJsonText(bytes, 0, bytes.length, target);
  const text = Buffer.from(target.toBytes()).toString();
  assert.equal(text[0], '*');
  return text.slice(1);
}

function printed(value: number): string {
  const target = new ByteWriter(1);
  writeDouble(target, value);
  return Buffer.from(target.toBytes()).toString();
}

/** As MySQL 9 stores it. */
const document =
  '0002004b0012000100130001000214000c49006163060035000501000b16000c1e0004000004010000210000000000000004' +
  'c002780a010014000b0001000a0c0062351cdcdf020000000164';
const documentText = '{"a": [1, -2.5, "x\\n", null, true, {"b": 12345678901}], "c": "d"}';

test('a marked text has a tab before each double and each value of an SQL type, and nowhere else', () => {
  const marked = (hex: string): string => {
    const target = new ByteWriter(1);
    writeMarkedJsonText(Buffer.from(hex, 'hex'), 0, hex.length / 2, target);
    return Buffer.from(target.toBytes()).toString();
  };
  assert.equal(marked(document), documentText.replace('-2.5', '\t-2.5'));
  // A TIME of zero; a DECIMAL(2,1).
  assert.equal(marked('0f0b080000000000000000'), '\t"00:00:00.000000"');
  assert.equal(marked('0ff60402018105'), '1.5');
  assert.equal(textOf(document), documentText);
});

test('scalars, also at the top', () => {
  assert.equal(textOf(document), documentText);
  assert.equal(textOf('0400'), 'null');
  assert.equal(textOf('0401'), 'true');
  assert.equal(textOf('0402'), 'false');
  assert.equal(textOf('050080'), '-32768');
  assert.equal(textOf('06ffff'), '65535');
  assert.equal(textOf('0700000080'), '-2147483648');
  assert.equal(textOf('08ffffffff'), '4294967295');
  assert.equal(textOf('090000000000000080'), '-9223372036854775808');
  assert.equal(textOf('09ffffffffffffffff'), '-1');
  assert.equal(textOf('0affffffffffffffff'), '18446744073709551615');
  assert.equal(textOf('0b000000000000f83f'), '1.5');
  assert.equal(textOf('0c0461220a01'), '"a\\"\\n\\u0001"');
  assert.equal(textOf(''), 'null');
  assert.equal(textOf('02'.concat('00000400')), '[]');
  assert.equal(textOf('0000000400'), '{}');
});

test('doubles are printed as the server prints them', () => {
  const wanted: readonly (readonly [number, string])[] = [
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [-12, '-12.0'],
    [1e10, '10000000000.0'],
    [1e14, '100000000000000.0'],
    [1e15, '1e15'],
    [1.5e15, '1.5e15'],
    [1e16, '1e16'],
    [123456789012345680, '1.2345678901234568e17'],
    [1e21, '1e21'],
    [1.5e300, '1.5e300'],
    [1e100, '1e100'],
    [999999999999999.9, '999999999999999.9'],
    [1234567890123456.8, '1234567890123456.8'],
    [1e-6, '0.000001'],
    [1e-7, '0.0000001'],
    [-1.25e-7, '-0.000000125'],
    [1e-15, '0.000000000000001'],
    [1.2345678901234568e-15, '0.0000000000000012345678901234568'],
    [1e-16, '1e-16'],
    [5e-324, '5e-324'],
  ];
  for (const [value, text] of wanted) assert.equal(printed(value), text);
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => Object.is(Number(printed(value)), value)));
});

test('deep nesting closes where it should, in a target without room', () => {
  // An array in an array: 1 element, its type, its offset.
  const depth = 90;
  let bytes = Buffer.from('00000400', 'hex');
  for (let i = 0; i < depth; i++) {
    const head = Buffer.alloc(7);
    head.writeUInt16LE(1, 0);
    head.writeUInt16LE(7 + bytes.length, 2);
    head[4] = 2;
    head.writeUInt16LE(7, 5);
    bytes = Buffer.concat([head, bytes]);
  }
  assert.equal(textOf(`02${bytes.toString('hex')}`), '['.repeat(depth + 1) + ']'.repeat(depth + 1));
});

function harmless(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isMillraceError(error) || error.code === 'INTERNAL') throw error;
  }
}

test('damaged documents give an error of ours or a text of bounded length', () => {
  const original = Buffer.from(document, 'hex');
  const target = new ByteWriter(16);
  const write = (bytes: Uint8Array): void => {
    target.clear();
    harmless(() => writeJsonText(bytes, 0, bytes.length, target));
    assert.ok(target.length <= bytes.length * 6 + 400);
  };
  for (let length = 0; length <= original.length; length++) write(original.subarray(0, length));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }), (changes) => {
      const bytes = Buffer.from(original);
      for (const [at, value] of changes) bytes[at] = value;
      write(bytes);
      harmless(() => readJsonDiffs(bytes, 0, bytes.length));
    }),
    { numRuns: 5000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(0, 1, 2, 3, 12, 15), (bytes, type) =>
      write(Uint8Array.of(type, ...bytes)),
    ),
    {
      numRuns: 5000,
    },
  );
});

test('a document whose parts overlap ends with an error', () => {
  // Each of 20 arrays holds the next one twice.
  const depth = 20;
  const bytes = Buffer.alloc(1 + depth * 10 + 4);
  bytes[0] = 2;
  for (let i = 0; i < depth; i++) {
    const at = 1 + i * 10;
    bytes.writeUInt16LE(2, at);
    bytes.writeUInt16LE(bytes.length - at, at + 2);
    for (const entry of [at + 4, at + 7]) {
      bytes[entry] = 2;
      bytes.writeUInt16LE(10, entry + 1);
    }
  }
  bytes.writeUInt16LE(4, bytes.length - 2);
  assert.throws(
    () => writeJsonText(bytes, 0, bytes.length, new ByteWriter()),
    (error) => isMillraceError(error, 'BINLOG_CORRUPT'),
  );
});
