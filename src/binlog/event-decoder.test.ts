import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMillraceError } from '../base/errors.ts';
import { crc32 } from './crc32.ts';
import { eventType } from './event-types.ts';
import type { BinlogEvent } from './events.ts';
import { decodeAll, decodeRecorded, newDecoder, recordedEvents, recordedMeaning } from './recorded.fixture.ts';
import { readRows } from './row-image.ts';

const flavors = ['mysql', 'mariadb'] as const;

/** The event with its size and checksum put right, after something in it was changed. */
function sealed(event: Buffer): Buffer {
  event.writeUInt32LE(event.length, 9);
  event.writeUInt32LE(crc32(event, 0, event.length - 4), event.length - 4);
  return event;
}

/** Decodes everything of an event; any other error than ours fails the test. */
function decodeDeeply(decoder: ReturnType<typeof newDecoder>, bytes: Uint8Array): BinlogEvent[] | undefined {
  try {
    const events = decodeAll(decoder, bytes);
    for (const event of events) if (event.type === 'ROWS') readRows(event);
    return events;
  } catch (error) {
    if (!isMillraceError(error) || error.code === 'INTERNAL') throw error;
    return undefined;
  }
}

for (const flavor of flavors) {
  const recorded = recordedEvents(flavor);

  test(`recorded events of ${flavor} mean what they meant`, () => {
    assert.deepEqual(decodeRecorded(recorded, flavor), recordedMeaning(flavor));
  });

  test(`a TABLE_MAP with the same bytes is the same object, also under another id, on ${flavor}`, () => {
    const maps = recorded.filter((event) => event[4] === eventType.tableMap).slice(0, 1);
    const format = recorded.find((event) => event[4] === eventType.formatDescription);
    const [map] = maps;
    assert.ok(map !== undefined && format !== undefined);
    const decoder = newDecoder(flavor);
    decodeAll(decoder, format);
    const tables = [0, 0, 1, 2].map((id) => {
      const event = Buffer.from(map);
      event[19] = id;
      const [decoded] = decodeAll(decoder, sealed(event));
      assert.ok(decoded?.type === 'TABLE_MAP' && decoded.tableId % 256 === id);
      return decoded.table;
    });
    assert.equal(new Set(tables).size, 1);
    const changed = Buffer.from(map);
    changed[changed.length - 5] = (changed[changed.length - 5] ?? 0) ^ 1;
    const [other] = decodeAll(decoder, sealed(changed));
    assert.ok(other?.type === 'TABLE_MAP' && other.table !== tables[0]);
  });

  test(`any flipped bit of an event of ${flavor} is noticed by its checksum`, () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (which, bit) => {
        const decoder = newDecoder(flavor);
        const index = 1 + (which % (recorded.length - 1));
        for (const event of recorded.slice(0, index)) decodeAll(decoder, event);
        const event = Buffer.from(recorded[index] ?? []);
        const at = (bit >> 3) % event.length;
        // A ROTATE of the dump thread may be without a checksum, and FORMAT_DESCRIPTION says itself whether it has one.
        if (event[4] === eventType.rotate || event[4] === eventType.formatDescription) return;
        event[at] = (event[at] ?? 0) ^ (1 << (bit & 7));
        assert.throws(
          () => decodeAll(decoder, event),
          (error) => isMillraceError(error, 'BINLOG_CORRUPT'),
        );
      }),
    );
  });

  test(`every prefix of an event of ${flavor} gives an error of ours, or sense`, () => {
    const decoder = newDecoder(flavor);
    for (const event of recorded) {
      for (let length = 0; length < event.length - 4; length++) {
        const bytes = Buffer.concat([event.subarray(0, length), Buffer.alloc(4)]);
        decodeDeeply(decoder, length >= 15 ? sealed(bytes) : bytes);
      }
      // What a prefix has put into the decoder, the whole event puts right.
      assert.ok(decodeDeeply(decoder, event) !== undefined);
    }
  });

  test(`events of ${flavor} with wrong bytes and a right checksum give errors of ours, or sense`, () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }), (which, changes) => {
        const decoder = newDecoder(flavor);
        const index = which % recorded.length;
        for (const [i, bytes] of recorded.entries()) {
          if (i !== index) {
            // An error may follow from what came before, but no crash.
            decodeDeeply(decoder, bytes);
            continue;
          }
          const event = Buffer.from(bytes);
          for (const [at, value] of changes) event[19 + (at % (event.length - 19))] = value;
          decodeDeeply(decoder, sealed(event));
        }
      }),
      { numRuns: 1500 },
    );
  });
}

function eventOf(code: number, body: Buffer, { position = 100, flags = 0 } = {}): Buffer {
  const bytes = Buffer.alloc(19 + body.length + 4);
  bytes.writeUInt32LE(1_700_000_000, 0);
  bytes[4] = code;
  bytes.writeUInt32LE(1, 5);
  bytes.writeUInt32LE(position % 0x1_0000_0000, 13);
  bytes.writeUInt16LE(flags, 17);
  body.copy(bytes, 19);
  return sealed(bytes);
}

function startedDecoder(): ReturnType<typeof newDecoder> {
  const decoder = newDecoder('mysql');
  for (const bytes of recordedEvents('mysql').slice(0, 2)) decodeAll(decoder, bytes);
  return decoder;
}

test('an unknown event type is passed over if its flag allows it, else it is BINLOG_UNSUPPORTED by name', () => {
  const decoder = startedDecoder();
  const [passed] = decodeAll(decoder, eventOf(99, Buffer.from('abc'), { flags: 0x80 }));
  assert.ok(passed?.type === 'OTHER' && passed.code === 99);
  assert.throws(
    () => decodeAll(decoder, eventOf(99, Buffer.from('abc'))),
    (error) => isMillraceError(error, 'BINLOG_UNSUPPORTED') && /type 99/.test(error.message),
  );
  assert.throws(() => decodeAll(decoder, eventOf(20, Buffer.from('abc'))), /WRITE_ROWS_V0/);
});

test('rows whose table is not known name the position', () => {
  const decoder = startedDecoder();
  const rows = eventOf(eventType.writeRows, Buffer.from('7f00000000000100020001ff00', 'hex'));
  assert.throws(
    () => decodeAll(decoder, rows),
    (error) => isMillraceError(error, 'BINLOG_CORRUPT') && /binlog\.\d+:\d+/.test(error.message),
  );
});

test('positions go on past 4 GiB', () => {
  const decoder = startedDecoder();
  const file = Buffer.concat([Buffer.alloc(8), Buffer.from('binlog.000009')]);
  file.writeBigUInt64LE(4n, 0);
  decodeAll(decoder, eventOf(eventType.rotate, file, { position: 0, flags: 0x20 }));
  const positions = [0xffff_0000, 0x1_0000_0100, 0x1_ffff_0000, 0x2_0000_0010];
  for (const position of positions) {
    const [xid] = decodeAll(decoder, eventOf(eventType.xid, Buffer.alloc(8), { position }));
    assert.equal(xid?.nextPosition, position);
  }
  file.writeBigUInt64LE(0x3_0000_0000n, 0);
  const [rotate] = decodeAll(decoder, eventOf(eventType.rotate, file, { position: 0, flags: 0x20 }));
  assert.ok(rotate?.type === 'ROTATE' && rotate.position === 0x3_0000_0000 && rotate.file === 'binlog.000009');
  const [next] = decodeAll(decoder, eventOf(eventType.xid, Buffer.alloc(8), { position: 0x3_0000_0050 }));
  assert.equal(next?.nextPosition, 0x3_0000_0050);
});

test('an event without a position of its own counts its bytes', () => {
  const decoder = startedDecoder();
  const [first] = decodeAll(decoder, eventOf(eventType.xid, Buffer.alloc(8), { position: 5000 }));
  const [second] = decodeAll(decoder, eventOf(eventType.xid, Buffer.alloc(8), { position: 0 }));
  assert.equal((second?.nextPosition ?? 0) - (second?.size ?? 0), first?.nextPosition);
});

test('LOAD DATA of a statement-based log is a statement', () => {
  const decoder = startedDecoder();
  const sql = "LOAD DATA INFILE 'x' INTO TABLE t";
  const body = Buffer.concat([Buffer.from('0100000000000000010000000000000000000000000000000000', 'hex'), Buffer.from(`d\0${sql}`)]);
  const [query] = decodeAll(decoder, eventOf(eventType.executeLoadQuery, body));
  assert.ok(query?.type === 'QUERY' && query.sql === sql && query.database === 'd');
});
