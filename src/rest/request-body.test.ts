import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson, readConfigBody, readCreateBody, readLevelBody, readOffsetsBody } from './request-body.ts';

const parse = (text: string): unknown => parseJson(Buffer.from(text));
const refused = { code: 'REQUEST_INVALID' };

test('numbers and booleans are the texts that they came as', () => {
  const config = readConfigBody(parse('{"a":1.50,"b":true,"c":12345678901234567890,"d":null,"e":"x"}'));
  assert.deepEqual(config, { a: '1.50', b: 'true', c: '12345678901234567890', d: null, e: 'x' });
  assert.throws(() => readConfigBody(parse('{"a":{}}')), refused);
  assert.throws(() => readConfigBody(parse('{"a":[]}')), refused);
});

test('a name is trimmed of blanks of ASCII alone', () => {
  assert.equal(readCreateBody(parse('{"name":" \\t\\na\\u00a0 ","config":{}}')).name, 'a\u00a0');
  assert.equal(readCreateBody(parse('{"name":null,"config":{}}')).name, '');
});

test('initial_state is read in any case; other states, and other members, are refused', () => {
  assert.equal(readCreateBody(parse('{"name":"a","config":{},"initial_state":"paused"}')).initialState, 'PAUSED');
  assert.equal(readCreateBody(parse('{"name":"a","config":{},"initial_state":null}')).initialState, undefined);
  for (const member of ['"initial_state":"FAILED"', '"initial_state":1', '"tasks":[]']) {
    assert.throws(() => readCreateBody(parse(`{"name":"a","config":{},${member}}`)), refused);
  }
});

test('offsets keep integers of 64 bits', () => {
  const offsets = readOffsetsBody(
    parse('{"offsets":[{"partition":{"a":1},"offset":{"pos":9223372036854775807,"x":1.5,"t":"u"}},{"partition":null}]}'),
  );
  assert.deepEqual(offsets, [
    { partition: { a: 1 }, offset: { pos: 9_223_372_036_854_775_807n, x: 1.5, t: 'u' } },
    { partition: null, offset: null },
  ]);
  assert.equal(readOffsetsBody(parse('{}')), undefined);
  for (const text of ['{"offsets":{}}', '{"offsets":[1]}', '{"offsets":[{"partitions":{}}]}', '{"offset":[]}']) {
    assert.throws(() => readOffsetsBody(parse(text)), refused);
  }
});

test('what is no JSON is refused, and so is nothing', () => {
  for (const text of ['', ' ', '{', '{"a":1,}', "{'a':1}"]) assert.throws(() => parse(text), refused);
  assert.equal(readLevelBody(parse('{}')), undefined);
  assert.equal(readLevelBody(parse('{"level":"WARN"}')), 'WARN');
});
