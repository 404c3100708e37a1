import assert from 'node:assert/strict';
import { test } from 'node:test';
import { civilOfDays, daysOfCivil } from './civil.ts';

test('every third day from the year 0 to 9999 is that of the platform, both ways', () => {
  const first = Date.UTC(2000, 0, 1) / 86_400_000 - 730_485; // 0000-01-01
  const date = new Date(0);
  for (let days = first; days < first + 3_652_425; days += 3) {
    date.setTime(days * 86_400_000);
    const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
    if (civilOfDays(days) !== ((year << 9) | (month << 5) | day)) assert.fail(`${date.toISOString()} is ${civilOfDays(days)}`);
    if (daysOfCivil(year, month, day) !== days) assert.fail(`${date.toISOString()} is ${daysOfCivil(year, month, day)}`);
  }
});

test('zero, partly zero and impossible dates are no days', () => {
  const none: readonly (readonly [number, number, number])[] = [
    [0, 0, 0],
    [2020, 0, 10],
    [2020, 5, 0],
    [2021, 2, 29],
    [1900, 2, 29],
    [2021, 4, 31],
    [2021, 13, 1],
  ];
  for (const [year, month, day] of none) assert.equal(daysOfCivil(year, month, day), undefined);
  assert.notEqual(daysOfCivil(2000, 2, 29), undefined);
});
