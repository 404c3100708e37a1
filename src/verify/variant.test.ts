import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalVariant, canonicalVectorVariant, isSameVariant, isSameVector } from './variant.ts';

test('a document has one text, whatever the order of its members and the zeros of its numbers', () => {
  assert.equal(
    canonicalVariant('{"b": [1.50, -0.0], "aa": "x", "ä": null, "a": {"__proto__": true}}'),
    '{"a":{"__proto__":true},"aa":"x","b":[1.5,0],"ä":null}',
  );
  assert.equal(canonicalVariant('"a\\n\\"b"'), '"a\\n\\"b"');
  assert.equal(canonicalVariant('12345678901234567890123456789012345678'), '12345678901234567890123456789012345678');
});

test('documents are one if their values are, and nothing tells where numbers are rounded', () => {
  const same = (source: string, replica: string): boolean | undefined => isSameVariant(canonicalVariant(source), replica);
  assert.equal(same('{"a": 1.0, "b": "\\u007f"}', '{"b":"\\u007F","a":1}'), true);
  assert.equal(same('{"a": 1}', '{"a":2}'), false);
  assert.equal(same('{"a": 1}', '{"b":1}'), false);
  assert.equal(same('[1, 2]', '[1]'), false);
  assert.equal(same('null', 'false'), false);
  assert.equal(same('[1]', '["1"]'), false);
  assert.equal(same('0.1', '0.10000000000000001'), false);
  // a double that is printed with 16 digits may be one of several
  assert.equal(same('1e20', '1.000000000000000e+20'), undefined);
  assert.equal(same('1.5e-10', '1.5e-10'), undefined);
  assert.equal(same('1e20', '1.000000000000100e+20'), false);
  assert.equal(same('123456789012345678901234567890123456789', '1.234567890123457e+38'), undefined);
  assert.equal(same('[1e20, 1]', '[1.000000000000000e+20,2]'), false);
});

test('texts that nothing tells apart are never one', () => {
  for (const number of ['1e20', '1.5e-10', '-2.5e+30']) assert.notEqual(canonicalVariant(number), number);
});

test('numbers of vectors are those of four bytes', () => {
  assert.equal(canonicalVectorVariant([1, -2, Math.fround(0.1)]), '[1,-2,0.1]');
  assert.equal(canonicalVectorVariant([]), '[]');
  assert.equal(isSameVector(canonicalVectorVariant([Math.fround(1e-10)]), '[1.000000000000000e-10]'), true);
  assert.equal(isSameVector(canonicalVectorVariant([Math.fround(0.1)]), '[0.10000001]'), false);
  assert.equal(isSameVector('[1]', '[1,1]'), false);
});
