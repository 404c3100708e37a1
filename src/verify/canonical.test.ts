import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalDatetime, canonicalDouble, canonicalTime, isInvalidDate } from './canonical.ts';

test('doubles have 17 digits, half-way cases to even', () => {
  assert.equal(canonicalDouble(0.1), '1.0000000000000001e-01');
  assert.equal(canonicalDouble(97.4491119384765625), '9.7449111938476562e+01');
  assert.equal(canonicalDouble(4.98218536376953125), '4.9821853637695312e+00');
  assert.equal(canonicalDouble(1e100), '1.0000000000000000e+100');
  assert.equal(canonicalDouble(-0), '-0.0000000000000000e+00');
  assert.equal(canonicalDouble(5e-324), '4.9406564584124654e-324');
});

test('datetimes have six fraction digits', () => {
  assert.equal(canonicalDatetime('2024-01-02 03:04:05'), '2024-01-02 03:04:05.000000');
  assert.equal(canonicalDatetime('2024-01-02 03:04:05.12'), '2024-01-02 03:04:05.120000');
});

test('times are signed microseconds', () => {
  assert.equal(canonicalTime('-838:59:59.5'), '-3020399500000');
  assert.equal(canonicalTime('00:00:00.000'), '0');
  assert.equal(canonicalTime('-00:00:00.000001'), '-1');
});

test('dates that are none are told from dates', () => {
  for (const text of ['0000-00-00', '2021-00-10', '2021-10-00', '2021-02-30', '1900-02-29']) assert.equal(isInvalidDate(text), true, text);
  for (const text of ['2020-02-29', '2000-02-29', '9999-12-31', '0001-01-01 00:00:00']) assert.equal(isInvalidDate(text), false, text);
});
