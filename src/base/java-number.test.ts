import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bigDecimalText, bigEndianBytes, javaDouble, javaFloat } from './java-number.ts';

test('doubles are what Double.toString gives', () => {
  // of the recordings and of the documentation of java.lang.Double
  const known: readonly (readonly [number, string])[] = [
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [100, '100.0'],
    [0.001, '0.001'],
    [0.0001, '1.0E-4'],
    [-0.00001, '-1.0E-5'],
    [9_999_999, '9999999.0'],
    [1e7, '1.0E7'],
    [9.999999999e7, '9.999999999E7'],
    [99_999_999.99, '9.999999999E7'],
    [1e10, '1.0E10'],
    [123_456_789.12345679, '1.2345678912345679E8'],
    [5e-324, '4.9E-324'],
    [2.2250738585072014e-308, '2.2250738585072014E-308'],
    [1.7976931348623157e308, '1.7976931348623157E308'],
    [999.99999, '999.99999'],
    [12.345000267028809, '12.345000267028809'],
  ];
  for (const [value, text] of known) assert.equal(javaDouble(value), text);
});

test('floats are what Float.toString gives', () => {
  const known: readonly (readonly [number, string])[] = [
    [0.1, '0.1'],
    [123_456.789, '123456.79'],
    [16_777_216, '1.6777216E7'],
    [123_456_789, '1.23456792E8'],
    [3e10, '3.0000001E10'],
    [3.4028234663852886e38, '3.4028235E38'],
    [1.401298464324817e-45, '1.4E-45'],
    [-1e-10, '-1.0E-10'],
    [-2.5, '-2.5'],
  ];
  for (const [value, text] of known) assert.equal(javaFloat(Math.fround(value)), text);
});

test('every double and float reads back from its text', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => assert.ok(Object.is(Number(javaDouble(value)), value))),
  );
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) =>
      assert.ok(Object.is(Math.fround(Number(javaFloat(value))), value), `${value} ${javaFloat(value)}`),
    ),
  );
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => assert.equal(Number(javaDouble(value)), value)),
    { examples: [[-1e7], [1e15], [Number.MAX_SAFE_INTEGER]] },
  );
});

test('decimals are what BigDecimal.toString gives', () => {
  const known: readonly (readonly [string, string])[] = [
    ['1.5000', '1.5000'],
    ['-0.01', '-0.01'],
    ['0.000001', '0.000001'],
    ['0.0000001', '1E-7'],
    ['-0.000000000000000001', '-1E-18'],
    ['0.000000000000000000', '0E-18'],
    ['0.00000123', '0.00000123'],
    ['0.000000123', '1.23E-7'],
    ['12', '12'],
  ];
  for (const [plain, text] of known) assert.equal(bigDecimalText(plain), text);
});

test("two's complement is as short as it can be", () => {
  const hex = (value: bigint): string => Buffer.from(bigEndianBytes(value)).toString('hex');
  assert.deepEqual([0n, 127n, 128n, 255n, 256n, -1n, -128n, -129n, 2n ** 64n].map(hex), [
    '00',
    '7f',
    '0080',
    '00ff',
    '0100',
    'ff',
    '80',
    'ff7f',
    '010000000000000000',
  ]);
});
