import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../base/byte-writer.ts';
import { renderRecordLine } from './record-line.ts';

function lineOf(key: string | null, value: string | null): string {
  const bytes = Buffer.from((key ?? '') + (value ?? ''));
  const keyEnd = Buffer.byteLength(key ?? '');
  const out = new ByteWriter(16);
  const record = {
    topic: 't',
    bytes,
    keyStart: 0,
    keyEnd: key === null ? -1 : keyEnd,
    valueStart: keyEnd,
    valueEnd: value === null ? -1 : bytes.length,
    headers: [],
  };
  renderRecordLine(record, 0, 7, out);
  return Buffer.from(out.toBytes()).toString('utf8');
}

test('a line has key and value as their bytes are', () => {
  assert.equal(
    lineOf('{"id":1}', '{"d":1.0E10}'),
    '{"topic":"t","partition":0,"offset":7,"key":{"id":1},"value":{"d":1.0E10},"headers":[]}\n',
  );
  assert.equal(lineOf(null, null), '{"topic":"t","partition":0,"offset":7,"key":null,"value":null,"headers":[]}\n');
});

test('what is no JSON is a string, and a line has no line breaks', () => {
  assert.equal(JSON.parse(lineOf('é "x"\n', 'Struct{id=1}')).key, 'é "x"\n');
  assert.match(lineOf('7', '{\n  "a" : 1\n}'), /"key":7,"value":\{"a" : 1\}/);
});
