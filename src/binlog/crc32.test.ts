import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { crc32 } from './crc32.ts';

test('the sum is that of zlib, for every length and place', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(40), (bytes, from) => {
      const start = Math.min(from, bytes.length);
      assert.equal(crc32(bytes, start, bytes.length), zlibCrc32(bytes.subarray(start)));
    }),
  );
});
