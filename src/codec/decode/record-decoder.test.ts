import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommitGroup, Entry } from '../../connect/commit-group.ts';
import type { SerializedRecord } from '../../connect/record.ts';
import { groupOf, openDecoder, record, shown } from './decode.fixture.ts';
import type { RecordDecoder } from './record-decoder.ts';

interface Place {
  readonly table?: string;
  readonly pos?: number;
  readonly row?: number;
  readonly snapshot?: string;
  readonly file?: string;
}

/** Debezium's envelope, without schemas. */
function envelope(
  op: string,
  before: unknown,
  after: unknown,
  { table = 't', pos = 1, row = 0, snapshot = 'false', file = 'b.000001' }: Place = {},
): unknown {
  const source = { version: '3', connector: 'mysql', name: 'p', ts_ms: 5, snapshot, db: 'd', table, gtid: null, file, pos, row };
  return { before, after, source, transaction: null, op, ts_ms: 6 };
}

function decode(decoder: RecordDecoder, records: readonly SerializedRecord[], topic = 'p.d.t'): readonly string[] {
  return shown(decoder.decode(groupOf([{ topic, records }])).entries);
}

test('a group without records is the same group', () => {
  const group = groupOf([]);
  assert.equal(openDecoder().decode(group), group);
});

test('rows with a key are put in place of what is there, and go by their key', () => {
  const records = [
    record({ id: 1 }, envelope('c', null, { id: 1, v: 'a' })),
    record({ id: 1 }, envelope('u', { id: 1, v: 'a' }, { id: 1, v: 'b' })),
    record({ id: 1 }, envelope('d', { id: 1, v: 'b' }, null)),
    record({ id: 1 }, undefined),
  ];
  assert.deepEqual(decode(openDecoder(), records), [
    'createTable d.t (id GUESSED NOT NULL KEY, v GUESSED)',
    'update {id: 1} {id: 1, v: a}',
    'update {id: 1} {id: 1, v: b}',
    'delete {id: 1}',
  ]);
});

test('a tombstone that follows no delete, as compaction leaves it, deletes', () => {
  const decoder = openDecoder();
  decode(decoder, [record({ id: 1 }, envelope('c', null, { id: 1, v: 'a' }))]);
  assert.deepEqual(decode(decoder, [record({ id: 1 }, undefined)]), ['delete {id: 1}']);
});

test('rows without a key are counted, and those that come again are left out', () => {
  const decoder = openDecoder();
  const insert = record(undefined, envelope('c', null, { v: 'a' }, { pos: 10, row: 0 }));
  const next = record(undefined, envelope('c', null, { v: 'a' }, { pos: 10, row: 1 }));
  const update = record(undefined, envelope('u', { v: 'a' }, { v: 'b' }, { pos: 20 }));
  assert.deepEqual(decode(decoder, [insert, next, update]).slice(1), ['insert {v: a}', 'insert {v: a}', 'update {v: a} {v: b}']);
  const again = [next, update, record(undefined, envelope('d', { v: 'b' }, null, { pos: 30 }))];
  assert.deepEqual(decode(decoder, again), ['delete {v: b}']);
});

test('rows of a snapshot are loaded aside, and appear with its last row', () => {
  const records = [
    record({ id: 1 }, envelope('r', null, { id: 1 }, { snapshot: 'first' })),
    record({ id: 2 }, envelope('r', null, { id: 2 }, { snapshot: 'last' })),
    record({ id: 3 }, envelope('c', null, { id: 3 }, { pos: 7 })),
  ];
  assert.deepEqual(decode(openDecoder(), records), [
    'snapshotBegin d.t',
    'chunk read {id: 1}',
    'chunk read {id: 2}',
    'update {id: 3} {id: 3}',
    'snapshotEnd d.t',
  ]);
});

test('a snapshot that begins again is loaded anew, and ends with the first streamed row of its table', () => {
  const decoder = openDecoder();
  const read = (id: number, snapshot: string): SerializedRecord => record({ id }, envelope('r', null, { id }, { snapshot }));
  assert.deepEqual(decode(decoder, [read(1, 'first'), read(2, 'true')]), ['snapshotBegin d.t', 'chunk read {id: 1}', 'chunk read {id: 2}']);
  const streamed = record({ id: 1 }, envelope('u', { id: 1 }, { id: 1 }));
  assert.deepEqual(decode(decoder, [read(1, 'first'), streamed]), [
    'snapshotBegin d.t',
    'chunk read {id: 1}',
    'update {id: 1} {id: 1}',
    'snapshotEnd d.t',
  ]);
});

test('a streamed row does not show a table before the stream is where its rows were read', () => {
  const decoder = openDecoder();
  const place = { file: 'b.000001', pos: 200 };
  decode(decoder, [record({ id: 1 }, envelope('r', null, { id: 1 }, { ...place, snapshot: 'first' }))]);
  const streamed = (pos: number): CommitGroup => {
    const records = [record({ id: 1 }, envelope('u', { id: 1 }, { id: 1 }, { pos }))];
    return { ...groupOf([{ topic: 'p.d.t', records }]), position: { file: 'b.000001', pos: pos + 10, gtids: '' } };
  };
  assert.deepEqual(shown(decoder.decode(streamed(100)).entries), ['update {id: 1} {id: 1}']);
  assert.deepEqual(shown(decoder.decode(streamed(190)).entries), ['update {id: 1} {id: 1}', 'snapshotEnd d.t']);
});

test("what a source's first snapshot brings appears at once, at its end", () => {
  const group = (parts: Parameters<typeof groupOf>[0], ...marks: readonly Entry[]): CommitGroup => {
    const made = groupOf(parts);
    return { ...made, entries: [...made.entries, ...marks] };
  };
  const begin: Entry = { kind: 'snapshotBegin', snapshot: 's', initial: true, tables: [] };
  const end: Entry = { kind: 'snapshotEnd', snapshot: 's', tables: [] };
  const decoder = openDecoder();
  const flat = group([{ topic: 'p.d.u', records: [record({ id: 3 }, { id: 3 })] }]);
  assert.deepEqual(shown(decoder.decode(group([], begin)).entries), []);
  const read = [
    record({ id: 1 }, envelope('r', null, { id: 1 }, { snapshot: 'first' })),
    record({ id: 2 }, envelope('c', null, { id: 2 })),
  ];
  const first = decoder.decode(group([{ topic: 'p.d.t', records: read }]));
  assert.deepEqual(shown(first.entries), ['snapshotBegin d.t', 'chunk read {id: 1}', 'update {id: 2} {id: 2}']);
  const second = decoder.decode(flat);
  assert.deepEqual(shown(second.entries), ['snapshotBegin d.u', 'update {id: 3} {id: 3}']);
  const notes = new Map(
    [['load', '{"snapshot":"s","initial":true}'], ...(first.notes ?? []), ...(second.notes ?? [])].flatMap(([key, text]) =>
      text === null ? [] : [[key, text]],
    ),
  );
  for (const each of [decoder, openDecoder({ notes })]) {
    const ended = each.decode(group([], end));
    assert.deepEqual(shown(ended.entries), ['snapshotEnd d.t', 'snapshotEnd d.u']);
    assert.equal(ended.notes?.get('load'), null);
    assert.ok(!each.isLoading);
  }
});

test('what is no row is rejected with its reason, and what comes after it is taken', () => {
  const cases: readonly (readonly [SerializedRecord, RegExp])[] = [
    [record({}, {}), /no column/],
    [record({}, envelope('c', null, {})), /no column/],
    [record({ id: 1 }, { schema: { type: 'struct' }, payload: { id: 1 } }), /no column/],
    [record({ id: 1 }, envelope('z', null, { id: 1 })), /op is none of .*: "z"/],
    [record({ id: 1 }, { before: null, after: { id: 1 }, source: {}, op: 5 }), /op is none of .*: 5/],
    [record({ id: 1 }, envelope('create', null, { id: 1 })), /op is none of .*: "create"/],
    [record({ id: 1 }, envelope('c', null, null)), /no "after"/],
    [record({ id: 1 }, [1]), /it is no object/],
    [{ key: null, value: Buffer.from('{"before":'), headers: [] }, /it ends where a value is due/],
  ];
  for (const [rubbish, reason] of cases) {
    const rejected: string[] = [];
    const decoder = openDecoder({ onReject: ({ error }) => void rejected.push(error.message) });
    const made = decode(decoder, [rubbish, record({ id: 7 }, envelope('c', null, { id: 7 }))]);
    assert.equal(rejected.length, 1, String(reason));
    assert.match(rejected[0] ?? '', reason);
    assert.equal(made.at(-1), 'update {id: 7} {id: 7}');
    assert.throws(() => decode(openDecoder(), [rubbish]), { code: 'CONVERSION_FAILED', message: reason });
  }
});

test('a row is deleted by its key where the record has no image of it', () => {
  const decoder = openDecoder();
  decode(decoder, [record({ id: 1 }, envelope('c', null, { id: 1, v: 'a' }))]);
  assert.deepEqual(decode(decoder, [record({ id: 1 }, envelope('d', null, null))]), ['delete {id: 1}']);
});

test('rows of an incremental snapshot are changes', () => {
  const decoder = openDecoder();
  decode(decoder, [record({ id: 1 }, envelope('c', null, { id: 1 }))]);
  assert.deepEqual(decode(decoder, [record({ id: 1 }, envelope('r', null, { id: 1 }, { snapshot: 'incremental' }))]), [
    'update {id: 1} {id: 1}',
  ]);
});

test('a truncation empties the table', () => {
  const decoder = openDecoder();
  decode(decoder, [record({ id: 1 }, envelope('c', null, { id: 1 }))]);
  assert.deepEqual(decode(decoder, [record(undefined, envelope('t', null, null))]), ['truncateTable d.t (id GUESSED NOT NULL KEY)']);
});

test('flattened rows are put, and deleted by their mark or by a tombstone', () => {
  const records = [
    record({ id: 1 }, { id: 1, v: 'a', __deleted: 'false', __op: 'c' }),
    record({ id: 1 }, { id: 1, v: 'a', __deleted: 'true', __op: 'd' }),
    record({ id: 2 }, { id: 2, v: 'b' }),
    record({ id: 2 }, null),
  ];
  assert.deepEqual(decode(openDecoder(), records).slice(1), [
    'update {id: 1} {id: 1, v: a}',
    'delete {id: 1}',
    'update {id: 2} {id: 2, v: b}',
    'delete {id: 2}',
  ]);
});

test('a value that the record does not have is left as it is', () => {
  const decoder = openDecoder();
  decode(decoder, [record({ id: 1 }, envelope('c', null, { id: 1, v: 'a', w: 'b' }))]);
  const change = envelope('u', { id: 1, v: 'a', w: '__debezium_unavailable_value' }, { id: 1, v: 'c', w: '__debezium_unavailable_value' });
  assert.deepEqual(decode(decoder, [record({ id: 1 }, change)]), ['update {id: 1} {id: 1, v: c}']);
});

test('guessed columns become wider as values come', () => {
  const decoder = openDecoder();
  const put = (row: unknown): readonly string[] => decode(decoder, [record({ id: 1 }, envelope('u', null, row))]);
  assert.deepEqual(put({ id: 1, a: null, b: 1 })[0], 'createTable d.t (id GUESSED NOT NULL KEY, a GUESSED NULL, b GUESSED)');
  assert.deepEqual(put({ id: 1, a: 5, b: 1.5 }), [
    'alterTable d.t (id GUESSED NOT NULL KEY, a GUESSED, b GUESSED)',
    'update {id: 1} {id: 1, a: 5, b: 1.5}',
  ]);
  assert.deepEqual(put({ id: 1, a: 'x', b: 2, c: { d: [1] } }).at(-1), 'update {id: 1} {id: 1, a: x, b: 2, c: {"d": [1]}}');
});

test('tables whose names are one to Kafka are told apart by their rows', () => {
  const records = [
    record({ id: 1 }, envelope('c', null, { id: 1 }, { table: 'a b' })),
    record({ id: 2 }, envelope('c', null, { id: 2 }, { table: 'a$b' })),
  ];
  assert.deepEqual(
    decode(openDecoder(), records, 'p.d.a_b').filter((text) => text.startsWith('create')),
    ['createTable d.a b (id GUESSED NOT NULL KEY)', 'createTable d.a$b (id GUESSED NOT NULL KEY)'],
  );
});

test('records of one group keep their transactions', () => {
  const decoder = openDecoder();
  decode(decoder, [record({ id: 1 }, envelope('c', null, { id: 1 }))]);
  const group = groupOf([
    {
      topic: 'p.d.t',
      records: [
        { ...record({ id: 2 }, envelope('c', null, { id: 2 })), transaction: 0 },
        { ...record({ id: 3 }, envelope('c', null, { id: 3 })), transaction: 1 },
        { ...record({ id: 4 }, envelope('c', null, { id: 4 })), transaction: 1 },
      ],
    },
  ]);
  const transactions = { ...group.transactions, count: 2, committedMicros: Float64Array.of(1, 2) };
  const decoded = decoder.decode({ ...group, transactions });
  const [changes] = decoded.entries;
  assert.ok(changes?.kind === 'changes');
  assert.deepEqual(
    Array.from(changes.batch.events, (event) => decoded.events.transaction[event]),
    [0, 1, 1],
  );
});

test('notes make a decoder that goes on as the one that made them', () => {
  const first = openDecoder();
  const { notes } = first.decode(
    groupOf([{ topic: 'p.d.t', records: [record({ id: 1 }, envelope('r', null, { id: 1 }, { snapshot: 'first' }))] }]),
  );
  assert.ok(notes !== undefined);
  const kept = new Map([...notes].flatMap(([key, note]) => (note === null ? [] : [[key, note] as const])));
  const records = [record({ id: 2 }, envelope('r', null, { id: 2 }, { snapshot: 'last' }))];
  assert.deepEqual(decode(openDecoder({ notes: kept }), records), ['chunk read {id: 2}', 'snapshotEnd d.t']);
});

test('what is no row is refused by name, or given away', () => {
  const bad = record({ id: 1 }, ['no row']);
  assert.throws(() => decode(openDecoder(), [bad]), { code: 'CONVERSION_FAILED', message: /topic p\.d\.t: the value is no row/ });
  const rejected: string[] = [];
  const decoder = openDecoder({ onReject: ({ topic, error }) => void rejected.push(`${topic} ${error.code}`) });
  const good = record({ id: 1 }, envelope('c', null, { id: 1 }));
  assert.deepEqual(decode(decoder, [bad, good]).slice(1), ['update {id: 1} {id: 1}']);
  assert.deepEqual(rejected, ['p.d.t CONVERSION_FAILED']);
});

test('heartbeats, transactions and notifications are no tables', () => {
  const decoder = openDecoder();
  assert.deepEqual(decode(decoder, [record({ serverName: 'p' }, { ts_ms: 1 })], '__debezium-heartbeat.p'), []);
  const end = { status: 'END', id: 'x', event_count: 1, data_collections: [], ts_ms: 1 };
  assert.deepEqual(decode(decoder, [record({ id: 'x' }, end)], 'p.transaction'), []);
});

test('a member that comes later, and one in another order, is found', () => {
  const decoder = openDecoder();
  decode(decoder, [record({ id: 1 }, { id: 1, v: 'a', w: 'b' })]);
  assert.deepEqual(decode(decoder, [record({ id: 2 }, { w: 'y "quoted" \\ é\u0001', id: 2, v: 'x' })]), [
    'update {id: 2} {id: 2, v: x, w: y "quoted" \\ é\u0001}',
  ]);
});
