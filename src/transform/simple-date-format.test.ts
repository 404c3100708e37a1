import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileDateFormat } from './simple-date-format.ts';

// what java.text.SimpleDateFormat gives in UTC and English
const at = Date.UTC(2024, 1, 9, 5, 6, 7, 8);

test('instants as Java formats them', () => {
  const known: readonly (readonly [string, string])[] = [
    ['yyyyMMdd', '20240209'],
    ["yyyy-MM-dd'T'HH:mm:ss.SSSX", '2024-02-09T05:06:07.008Z'],
    ['yy/M/d H:m:s.S', '24/2/9 5:6:7.8'],
    ['EEE, d MMM yyyy', 'Fri, 9 Feb 2024'],
    ['EEEE MMMM', 'Friday February'],
    ['hh:mm a', '05:06 AM'],
    ['D u Z z', '40 5 +0000 UTC'],
    ["''yyyy''", "'2024'"],
    ["h 'o''clock'", "5 o'clock"],
  ];
  for (const [pattern, text] of known) assert.equal(compileDateFormat(pattern).format(at), text, pattern);
});

test('texts as Java parses them, leniently', () => {
  const known: readonly (readonly [string, string, number | undefined])[] = [
    ['yyyyMMdd', '20240209', Date.UTC(2024, 1, 9)],
    ["yyyy-MM-dd'T'HH:mm:ss.SSSX", '2024-02-09T05:06:07.008+02:00', at - 7_200_000],
    ['yyyy-MM-dd', '2024-02-30', Date.UTC(2024, 2, 1)],
    ['yyyy-MM-dd', '2024-02-09 and more', Date.UTC(2024, 1, 9)],
    ['d MMM yyyy hh:mm a', '9 feb 2024 12:30 AM', Date.UTC(2024, 1, 9, 0, 30)],
    ['d MMM yyyy hh:mm a', '9 Feb 2024 12:30 PM', Date.UTC(2024, 1, 9, 12, 30)],
    ['yyyy-MM-dd', '09.02.2024', undefined],
  ];
  for (const [pattern, text, ms] of known) assert.equal(compileDateFormat(pattern).parse(text), ms, `${pattern}: ${text}`);
});

test('letters of other calendars and places are refused by name', () => {
  assert.throws(() => compileDateFormat('YYYY'), { code: 'CONFIG_UNSUPPORTED', message: /uses Y/ });
  assert.throws(() => compileDateFormat("yyyy 'x"), { code: 'CONFIG_INVALID' });
});
