import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMillraceError } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import { parseRegexList, splitPatterns } from './java-regex.ts';

// Each expectation below was checked against java.util.regex of OpenJDK: Pattern.compile(p, CASE_INSENSITIVE).matcher(t).matches().
const cases: readonly (readonly [pattern: string, matching: readonly string[], other: readonly string[]])[] = [
  ['shop.orders', ['shop.orders', 'SHOP.Orders', 'shopXorders'], ['shop.orders2', 'ashop.orders', 'shop.order']],
  ['shop\\.orders', ['shop.orders'], ['shopXorders']],
  ['shop\\.(orders|items)', ['shop.orders', 'shop.items'], ['shop.itemsx']],
  ['orders|items', ['orders', 'items'], ['xitems', 'ordersx']],
  ['\\Qa.b+c\\E.*', ['a.b+c', 'A.B+cde'], ['axb+c']],
  ['\\Qa.b', ['a.b'], ['axb']],
  ['shop\\.t_\\d{3}', ['shop.t_123'], ['shop.t_12', 'shop.t_1234', 'shop.t_١٢٣']],
  ['a{2\\,3}'.replace('\\,', ','), ['aa', 'aaa', 'AAA'], ['a', 'aaaa']],
  ['[a-c[x-z]]+', ['abcxyz', 'AZ'], ['d', '[']],
  ['[a-z&&[^bc]]', ['a', 'd', 'D'], ['b', 'C']],
  ['[a-z&&def]', ['d', 'e', 'F'], ['a', 'g']],
  ['[^a-c]', ['d', '.', 'é'], ['a', 'B']],
  ['[]a]+', [']a', 'a'], ['b']],
  ['[a\\-z]', ['a', '-', 'z'], ['b']],
  ['[-a]', ['-', 'a'], ['b']],
  ['[a-]', ['-', 'a'], ['b']],
  ['[.$*]', ['.', '$', '*'], ['a']],
  ['[a&b]', ['a', '&', 'b'], ['c']],
  ['(?i)shop', ['SHOP'], ['shops']],
  ['(?i:shop)', ['ShOp'], ['shops']],
  ['(?-i:Shop)\\.x', ['Shop.x', 'Shop.X'], ['shop.x']],
  ['(?!tmp_).*', ['orders'], ['tmp_orders', 'TMP_x']],
  ['.*(?<!_bak)', ['orders'], ['orders_bak']],
  ['(?<d>\\d)\\k<d>', ['11'], ['12']],
  ['(a)\\1', ['aa', 'aA'], ['ab']],
  ['\\p{Alpha}+', ['abc'], ['é', '1']],
  ['\\p{L}+', ['aé'], ['1']],
  ['\\pL', ['é'], ['_']],
  ['\\P{Digit}', ['a'], ['1']],
  ['\\p{IsGreek}', ['α'], ['a']],
  ['\\x41\\u0042\\x{43}\\0104', ['abcd', 'ABCD'], ['abce']],
  ['\\w+', ['a_1'], ['é', 'ſ']],
  ['a\\sb', ['a b', 'a\tb'], ['a\u00a0b']],
  ['é', ['é'], ['É']],
  ['a}', ['a}'], ['a']],
  ['a]', ['a]'], ['a']],
  ['a-b@c#d', ['a-b@c#d'], ['ab']],
  ['\\$x\\/y\\-', ['$x/y-'], ['x']],
  ['.*?x+?', ['abxx'], ['ab']],
  ['^shop$', ['shop'], ['shop2']],
  ['\\Ashop\\z', ['shop'], ['shop2']],
  ['.', ['a', '\v'], ['\n', '\u0085', 'ab']],
  ['', [], ['a', '']],
];

for (const [pattern, matching, other] of cases) {
  test(`the pattern ${pattern} matches what it matches in Java`, () => {
    const list = parseRegexList(pattern.replaceAll(',', '\\,'));
    for (const text of matching) assert.equal(list.matches(text), true, text);
    for (const text of other) assert.equal(list.matches(text), false, text);
  });
}

const refused: readonly (readonly [pattern: string, code: ErrorCode, named: RegExp])[] = [
  ['a++', 'CONFIG_UNSUPPORTED', /possessive quantifier \+\+/],
  ['a{2}+', 'CONFIG_UNSUPPORTED', /possessive quantifier \{2\}\+/],
  ['(?>a)', 'CONFIG_UNSUPPORTED', /atomic group/],
  ['a(?m).b', 'CONFIG_UNSUPPORTED', /inline flag \(\?m\)/],
  ['a(?-x)b', 'CONFIG_UNSUPPORTED', /inline flag \(\?x\)/],
  ['(a)|\\1', 'CONFIG_UNSUPPORTED', /reference \\1/],
  ['(?:(a)|b)\\1', 'CONFIG_UNSUPPORTED', /reference \\1/],
  ['(?!(a))b\\1', 'CONFIG_UNSUPPORTED', /reference \\1/],
  ['(?:(a))*\\1', 'CONFIG_UNSUPPORTED', /reference \\1/],
  ['(?<n>a){0}\\k<n>', 'CONFIG_UNSUPPORTED', /reference \\k<n>/],
  ['\\p{InGreek}', 'CONFIG_UNSUPPORTED', /\\p\{InGreek\}/],
  ['\\p{javaLowerCase}', 'CONFIG_UNSUPPORTED', /javaLowerCase/],
  ['\\X', 'CONFIG_UNSUPPORTED', /\\X/],
  ['\\y', 'CONFIG_INVALID', /\\y/],
  ['(a', 'CONFIG_INVALID', /malformed/],
  ['a)', 'CONFIG_INVALID', /malformed/],
  ['[a', 'CONFIG_INVALID', /malformed/],
  ['*', 'CONFIG_INVALID', /malformed/],
  ['a{x}', 'CONFIG_INVALID', /malformed/],
  ['\\', 'CONFIG_INVALID', /malformed/],
  ['[z-a]', 'CONFIG_INVALID', /malformed/],
];

for (const [pattern, code, named] of refused) {
  test(`the pattern ${pattern} is refused by name`, () => {
    assert.throws(
      () => parseRegexList(pattern),
      (error: unknown) => isMillraceError(error, code) && named.test(error.message) && error.message.includes(pattern),
    );
  });
}

test('a list is split at commas that no backslash precedes, and trimmed', () => {
  assert.deepEqual(splitPatterns(' a.b ,c\\.d{1\\,2},, e '), ['a.b', 'c\\.d{1,2}', 'e']);
  assert.deepEqual(splitPatterns(''), []);
  assert.deepEqual(splitPatterns('a\\\\,b'), ['a\\\\', 'b']);
  assert.equal(parseRegexList('a.b, c.d').matches('c.d'), true);
});
