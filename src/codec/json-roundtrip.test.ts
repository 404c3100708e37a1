import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Decimal, Struct } from '../connect/data.ts';
import type { ConnectValue, Schema } from '../connect/data.ts';
import { logicalName, primitive, structOf } from '../connect/schema.ts';
import { JsonConverter } from './json-converter.ts';

/** A schema, and values that it has. */
type Kind = readonly [schema: Schema, value: fc.Arbitrary<ConnectValue>];

const decimal: Schema = { type: 'bytes', optional: false, name: logicalName.decimal, version: 1, parameters: new Map([['scale', '3']]) };
const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed());
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const double = fc.double({ noNaN: true, noDefaultInfinity: true });

const leaves: readonly Kind[] = [
  [primitive('int8'), fc.integer({ min: -128, max: 127 })],
  [primitive('int32'), fc.integer()],
  [primitive('int64'), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  [primitive('float32'), float],
  [primitive('float64'), double],
  [primitive('boolean'), fc.boolean()],
  [primitive('string'), text],
  [primitive('bytes'), fc.uint8Array()],
  [decimal, fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map((unscaled) => new Decimal(unscaled, 3))],
];

function optional([schema, value]: Kind): Kind {
  return [{ ...schema, optional: true }, fc.option(value)];
}

const kinds: readonly Kind[] = [
  ...leaves,
  ...leaves.map(optional),
  ...leaves.map(([schema, value]): Kind => [{ type: 'array', optional: false, valueSchema: schema }, fc.array(value, { maxLength: 3 })]),
  ...leaves.map(([schema, value]): Kind => [
    { type: 'map', optional: false, keySchema: primitive('string'), valueSchema: schema },
    fc.array(fc.tuple(text, value), { maxLength: 3 }).map((pairs) => new Map<ConnectValue, ConnectValue>(pairs)),
  ]),
];

/** A struct of some of the kinds, with names of any text. */
const struct = fc.uniqueArray(fc.tuple(text, fc.constantFrom(...kinds)), { maxLength: 6, selector: ([name]) => name }).chain((fields) => {
  const schema = structOf(
    fields.map(([name, [own]]) => ({ name, schema: own })),
    { name: 'a.Value', version: 1 },
  );
  return fc.tuple(...fields.map(([, [, value]]) => value)).map((values) => new Struct(schema, values));
});

for (const decimalFormat of ['base64', 'numeric'] as const) {
  test(`JsonConverter reads back what it writes, decimals as ${decimalFormat}`, () => {
    fc.assert(
      fc.property(fc.array(struct, { minLength: 1, maxLength: 3 }), (structs) => {
        const converter = new JsonConverter({ schemas: true, decimalFormat, replaceNullWithDefault: true });
        for (const value of structs) {
          const bytes = converter.fromConnect('t', value.schema, value);
          assert.ok(bytes !== null);
          assert.ok(typeof JSON.parse(Buffer.from(bytes).toString('utf8')) === 'object', 'JSON');
          assert.deepEqual(converter.toConnect('t', bytes), { schema: value.schema, value });
        }
      }),
    );
  });
}

test('no bytes make JsonConverter fail but by its own error', () => {
  const converter = new JsonConverter({ schemas: true, decimalFormat: 'base64', replaceNullWithDefault: true });
  const whole = Buffer.from(
    '{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":false},"payload":{"a":1}}',
  );
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(255), fc.boolean(), (at, byte, cut) => {
      const bytes = cut ? whole.subarray(0, at) : Buffer.from(whole);
      if (!cut && at < bytes.length) bytes[at] = byte;
      try {
        converter.toConnect('t', bytes);
      } catch (error) {
        assert.equal(error instanceof Error && 'code' in error && error.code, 'CONVERSION_FAILED', String(error));
      }
    }),
  );
});
