import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrongDocument } from './wrong-document.ts';

function wrong(text: string): string {
  return Buffer.from(wrongDocument(Buffer.from(text))).toString();
}

test('doubles have all their digits where Java prints an exponent', () => {
  // The expansions are those of IEEE 754: 0.1 has none since Java prints it without an exponent.
  assert.equal(
    wrong('[\t0.1, \t-0.0, \t1e20, \t-1e16, \t0.0009765625, 1e20]'),
    '[0.1, -0.0, 100000000000000000000, -10000000000000000, 0.0009765625, 1e20]',
  );
  assert.equal(wrong('\t5e-324').length, 2 + 1074);
  assert.equal(wrong('\t0.00001'), '0.000010000000000000000818030539140313095458623138256371021270751953125');
});

test('times lose the zeros of their fraction, negative ones are taken apart field by field', () => {
  assert.equal(wrong('{"a": \t"12:34:56.789000", "b": \t"838:59:59.000000"}'), '{"a": "12:34:56.789", "b": "838:59:59"}');
  assert.equal(wrong('\t"-01:02:03.000000"'), '"02:0-3:0-3"');
  assert.equal(wrong('\t"2024-02-29 00:00:00.000100"'), '"2024-02-29 00:00:00.0001"');
  assert.equal(wrong('\t"2024-02-29"'), '"2024-02-29"');
});

test('binary values are bare, without the breaks of their lines', () => {
  assert.equal(wrong(String.raw`{"b": ${'\t'}"base64:type252:YWJj\nZGVm"}`), '{"b": "YWJjZGVm"}');
});

test('what only looks like such a value stays', () => {
  const text = String.raw`{"t": "12:34:56.789000", "b": "base64:type15:AP8Q", "tab": "\t1e20"}`;
  assert.equal(wrong(text), text);
});
