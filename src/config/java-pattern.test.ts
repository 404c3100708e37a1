import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileJavaPattern } from './java-pattern.ts';

test('a pattern matches whole texts, letter case counting', () => {
  const pattern = compileJavaPattern('a|ab');
  assert.ok(pattern.matches('ab') && pattern.matches('a'));
  assert.ok(!pattern.matches('xab') && !pattern.matches('AB'));
  assert.ok(compileJavaPattern('(?i)ab').matches('AB'));
  assert.ok(compileJavaPattern('a(?i)b').matches('aB'));
});

test('replacements as Matcher.replaceFirst makes them', () => {
  const replaced = (pattern: string, replacement: string, text: string): string =>
    compileJavaPattern(pattern).replacement(replacement)(text);
  assert.equal(replaced('([^.]+)\\.(.+)', '$2-$1', 'a.b'), 'b-a');
  assert.equal(replaced('(?<x>.)b', '${x}', 'ab'), 'a');
  assert.equal(replaced('(a)(b)?', '[$2]', 'a'), '[]');
  assert.equal(replaced('(a)', '$11', 'a'), 'a1', 'so many digits as name a group');
  assert.equal(replaced('a', '\\$1\\\\', 'a'), '$1\\');
  assert.equal(replaced('b', '$0$0', 'abc'), 'abbc');
});

test('what Java refuses is refused', () => {
  for (const replacement of ['$2', '${y}', '$', '$x', '\\']) {
    assert.throws(() => compileJavaPattern('(a)').replacement(replacement), { code: 'CONFIG_INVALID' }, replacement);
  }
  assert.throws(() => compileJavaPattern('(a'), { code: 'CONFIG_INVALID' });
  assert.throws(() => compileJavaPattern('a++'), { code: 'CONFIG_UNSUPPORTED' });
});
