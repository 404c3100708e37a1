import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMillraceError } from '../base/errors.ts';
import { PacketReader } from './packets.ts';

/** Frames payloads as the server does, from sequence number 1 on. */
function framed(payloads: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  let sequence = 1;
  for (const payload of payloads) {
    let at = 0;
    for (let more = true; more;) {
      const length = Math.min(0xff_ffff, payload.length - at);
      parts.push(Buffer.from([length & 0xff, (length >> 8) & 0xff, length >> 16, sequence]), payload.subarray(at, at + length));
      sequence = (sequence + 1) & 0xff;
      at += length;
      more = length === 0xff_ffff;
    }
  }
  return Buffer.concat(parts);
}

function read(reader: PacketReader, chunks: Iterable<Buffer>): Buffer[] {
  const found: Buffer[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    while (reader.next()) found.push(Buffer.from(reader.bytes.subarray(reader.start, reader.end)));
  }
  return found;
}

function* cut(bytes: Buffer, sizes: readonly number[]): Iterable<Buffer> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

test('packets come out as they went in, however the bytes are cut', () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 300 });
  fc.assert(
    fc.property(payloads, fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1 }), (list, sizes) => {
      const wanted = list.map((payload) => Buffer.from(payload));
      const reader = new PacketReader(1);
      assert.deepEqual(read(reader, cut(framed(wanted), sizes)), wanted);
      assert.equal(reader.unread, 0);
    }),
  );
});

test('packets of 16 MiB and more are put together, and little of them waits unread', () => {
  for (const size of [0xff_fffe, 0xff_ffff, 0x100_0000, 0x1ff_fffe, 0x230_0000]) {
    const event = Buffer.alloc(size, size & 0xff);
    event.writeUInt32LE(size - 1, 10);
    const wanted = [Buffer.from('before'), event, Buffer.from('after')];
    const reader = new PacketReader(1);
    const found: number[] = [];
    for (const chunk of cut(framed(wanted), [65_536, 1, 2, 3])) {
      reader.push(chunk);
      while (reader.next()) {
        const payload = wanted[found.length];
        assert.equal(payload?.compare(reader.bytes, reader.start, reader.end), 0);
        found.push(reader.end - reader.start);
      }
      assert.ok(reader.unread <= 65_536 + 4);
    }
    assert.deepEqual(found, [6, size, 5]);
  }
});

test('a packet with a wrong number is BINLOG_CORRUPT', () => {
  const bytes = framed([Buffer.from('a'), Buffer.from('b')]);
  bytes[8] = 7;
  assert.throws(
    () => read(new PacketReader(1), [bytes]),
    (error) => isMillraceError(error, 'BINLOG_CORRUPT'),
  );
  const split = framed([Buffer.from('a'), Buffer.from('b')]);
  split[8] = 7;
  assert.throws(
    () => read(new PacketReader(1), cut(split, [1])),
    (error) => isMillraceError(error, 'BINLOG_CORRUPT'),
  );
});
