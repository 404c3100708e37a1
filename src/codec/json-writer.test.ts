import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../base/byte-writer.ts';
import {
  jsonString,
  utf8,
  writeBase64,
  writeCompactDocument,
  writeHex,
  writeInt64,
  writeInteger,
  writePadded,
  writeText,
} from './json-writer.ts';

/** What `write` appends to a writer that must grow for it. */
function written(write: (out: ByteWriter) => void): string {
  const out = new ByteWriter(1);
  out.raw(utf8('before'), 0, 6);
  write(out);
  const text = Buffer.from(out.toBytes()).toString('utf8');
  assert.ok(text.startsWith('before'));
  return text.slice(6);
}

const texts = fc.string({ unit: 'binary', maxLength: 200 });

test('a text reads back from its JSON string, wherever its bytes lie', () => {
  fc.assert(
    fc.property(texts, fc.nat(5), (text, offset) => {
      const bytes = Buffer.concat([Buffer.alloc(offset, 'x'), utf8(text), Buffer.from('x')]);
      const json = written((out) => writeText(out, bytes, offset, bytes.length - 1));
      assert.equal(JSON.parse(json), text);
      assert.equal(json, jsonString(text));
    }),
  );
});

test("strings have Jackson's spelling", () => {
  const text = '"\\/\b\t\n\f\r\u0000\u001f\u007fé\u2028😀';
  const json = String.raw`"\"\\/\b\t\n\f\r\u0000\u001F` + '\u007fé\u2028' + String.raw`\uD83D\uDE00"`;
  assert.equal(jsonString(text), json);
  assert.equal(
    written((out) => writeText(out, utf8(text), 0, utf8(text).length)),
    json,
  );
});

test('a document loses the blanks between its tokens and nothing else', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const compact = JSON.stringify(value);
      const spaced = utf8(spread(value));
      const json = written((out) => writeCompactDocument(out, spaced, 0, spaced.length));
      assert.equal(JSON.parse(json), compact);
    }),
  );
});

/** JSON as MySQL prints it: a blank behind each comma and colon. */
function spread(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spread).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${spread(member)}`)
    .join(', ')}}`;
}

test('integers are exact up to 64 bits', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      assert.equal(
        written((out) => writeInteger(out, value)),
        String(value),
      );
    }),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      assert.equal(
        written((out) => writeInt64(out, Number(value >> 32n), Number(value & 0xffffffffn))),
        value.toString(),
      );
    }),
  );
  for (const value of [0, 9, 10, 99, 999_999_999, 1_000_000_000, 1_000_000_007, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    assert.equal(
      written((out) => writeInteger(out, value)),
      String(value),
    );
  }
  assert.equal(
    written((out) => writePadded(out, 42, 6)),
    '000042',
  );
});

test('bytes are base64, URL-safe base64 or hexadecimal in quotes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(3), (bytes, offset) => {
      const source = Buffer.concat([Buffer.alloc(offset, 0xff), bytes, Buffer.alloc(1, 0xff)]);
      const end = source.length - 1;
      const base64 = Buffer.from(bytes).toString('base64');
      const urlSafe = base64.replaceAll('+', '-').replaceAll('/', '_');
      assert.equal(
        written((out) => writeBase64(out, source, offset, end)),
        `"${base64}"`,
      );
      assert.equal(
        written((out) => writeBase64(out, source, offset, end, true)),
        `"${urlSafe}"`,
      );
      assert.equal(
        written((out) => writeHex(out, source, offset, end)),
        `"${Buffer.from(bytes).toString('hex')}"`,
      );
    }),
  );
});

test('what looks like an escape in a text stays as it is', () => {
  assert.equal(jsonString('\\u00e9 \u0001 \\\\u00e9'), '"\\\\u00e9 \\u0001 \\\\\\\\u00e9"');
  assert.equal(jsonString('\u001f'), '"\\u001F"');
});
