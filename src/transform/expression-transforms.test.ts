import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Decimal } from '../connect/data.ts';
import { isMillraceError } from '../base/errors.ts';
import { compileExpression } from './expression/compile.ts';
import { int32, int64, optionalText, recordOf, struct, text, transform } from './record.fixture.ts';

const row = struct({
  id: [int64, 2n],
  name: [optionalText, 'lamp'],
  gone: [optionalText, null],
  price: [{ type: 'bytes', optional: true }, new Decimal(1250n, 2)],
});
const value = struct(
  { before: [{ ...row.schema, optional: true }, null], after: [row.schema, row], op: [text, 'u'] },
  { name: 'shop.Envelope' },
);
const record = recordOf(value, {
  key: struct({ id: [int32, 2] }),
  headers: [{ name: 'tenant', schema: text, value: 'acme' }],
});

const js = (expression: string): unknown => compileExpression(expression, 'javascript')(record);
const groovy = (expression: string): unknown => compileExpression(expression, 'groovy')(record);

test('members, comparisons and logic of a record', () => {
  const truths = [
    "value.op == 'u' && value.after.id == 2",
    "value.op === 'u' || value.nothing.at.all",
    "value['op'] !== 'c'",
    'value.before == null',
    'value.before?.id == null',
    'value.after.id > 1 && value.after.id <= 2n',
    'value.after.price >= 12.5 && value.after.price < 12.51',
    "['c', 'u'].includes(value.op)",
    "value.after.name.startsWith('la') && value.after.name.length == 4",
    "topic.matches('shop\\\\..*') && !topic.matches('shop')",
    "header.tenant.value == 'acme' && header.none == null",
    "valueSchema.name == 'shop.Envelope'",
    'key.id + 1 == 3 && -key.id == -2 && key.id * 3 % 4 == 2',
    "(value.after.gone ?? 'x') == 'x'",
    'value.after.id == 9007199254740993 - 9007199254740991',
    "'2' != 2",
  ];
  for (const expression of truths) assert.equal(js(expression), true, expression);
  assert.equal(js("value.op == 'd' ? 'deleted' : topic + '-' + value.after.id"), 'shop.shop.orders-2');
});

test("Groovy's own words are taken where the expression is Groovy", () => {
  for (const expression of [
    "value.op in ['u', 'd']",
    "(value.after.gone ?: 'x') == 'x'",
    "value.after.name.contains('am')",
    'value.after.id == 2L',
  ]) {
    assert.equal(groovy(expression), true, expression);
    if (/ in |\?:/.test(expression)) assert.throws(() => js(expression), { code: 'CONFIG_UNSUPPORTED' }, expression);
  }
  assert.equal(groovy('value.after.name && value.op'), true, 'logic gives true or false');
  for (const expression of [
    "value.op === 'u'",
    'value.op ==~ /u/',
    '"$topic" == topic',
    'value.collect { it }',
    'def x = 1',
    'new File(topic)',
  ]) {
    assert.throws(
      () => groovy(expression),
      (error) => isMillraceError(error) && error.code.startsWith('CONFIG_'),
      expression,
    );
  }
});

test('nothing but the record is reached', () => {
  const refused = [
    'process.exit(1)',
    'globalThis',
    "value.constructor.constructor('return process')()",
    'value.op.constructor',
    "topic['constructor']",
    'topic.__proto__',
    '[].map(x => x)',
    'value.op = 1',
    '(() => 1)()',
    '`${topic}`',
    'value; value',
    'require("fs")',
    'this',
    'topic.replace("a", "b")',
  ];
  for (const expression of refused) assert.throws(() => js(expression), isMillraceError, expression);
});

test('errors say what is wrong, and where', () => {
  assert.throws(() => js('value.after.nmae'), /value\.after has no field nmae/);
  assert.throws(() => js('value.before.id'), /value\.before is null and has no id; value\.before\?\.id/);
  assert.throws(() => js('value.op < 2'), /a text and a number are not in any order/);
  assert.throws(() => js('valeu.op'), /character 1, .* the name valeu; the names are value, key, topic/);
  assert.throws(() => js("value.op == 'u"), /character 13/);
  assert.throws(() => js('value.op =='), /the expression ends there/);
  assert.throws(() => js('('.repeat(200)), { code: 'CONFIG_UNSUPPORTED', message: /levels/ });
});

test('any text is an expression or is refused, and never does anything else', () => {
  const words = [
    'value',
    '.',
    'op',
    '(',
    ')',
    '[',
    ']',
    "'u'",
    '==',
    '&&',
    '!',
    '?',
    ':',
    '+',
    '1',
    'topic',
    'constructor',
    '?.',
    ',',
    'matches',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 12 }), (parts) => {
      try {
        js(parts.join(' '));
      } catch (error) {
        assert.ok(isMillraceError(error), String(error));
      }
    }),
  );
});

test('Filter keeps the records for which the condition is true', () => {
  const filter = (condition: string, more: Record<string, string> = {}): unknown =>
    transform('io.millrace.transforms.Filter', { condition, ...more }, record);
  assert.equal(filter("value.op == 'u'"), record);
  assert.equal(filter("value.op == 'c'"), null);
  assert.equal(filter("value.op == 'c'", { 'topic.regex': 'other' }), record);
  assert.throws(() => filter('value.op'), /the condition gives a text, and must give true or false/);
  const tombstone = recordOf(null);
  const nulls = (mode: string): unknown =>
    transform('io.millrace.transforms.Filter', { condition: 'value == null', 'null.handling.mode': mode }, tombstone);
  assert.deepEqual([nulls('keep'), nulls('drop'), nulls('evaluate')], [tombstone, null, tombstone]);
});

test('ContentBasedRouter takes the topic from the expression; null leaves it', () => {
  const route = (expression: string): string | undefined =>
    transform('io.millrace.transforms.ContentBasedRouter', { 'topic.expression': expression }, record)?.topic;
  assert.equal(route("value.op == 'u' ? 'updates' : null"), 'updates');
  assert.equal(route("value.op == 'd' ? 'deletes' : null"), 'shop.shop.orders');
  assert.throws(() => route('1'), /the topic expression gives a number/);
});

test("Debezium's Filter and ContentBasedRouter take Groovy that is in the subset, and refuse the rest by name", () => {
  const filter = (properties: Record<string, string>): unknown => transform('io.debezium.transforms.Filter', properties, record);
  assert.equal(filter({ language: 'jsr223.groovy', condition: "value.op == 'u' && value.after.id == 2" }), record);
  assert.throws(() => filter({ language: 'jsr223.groovy', condition: 'value.after.tags.any { it == 1 }' }), {
    code: 'CONFIG_UNSUPPORTED',
    message: /transforms\.t\.condition.*Groovy expression/s,
  });
  assert.throws(() => filter({ language: 'jsr223.graal.js', condition: 'true' }), { message: /transforms\.t\.language/ });
});
