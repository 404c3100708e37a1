import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../base/logger.ts';
import { debeziumOptions } from '../codec/debezium-options.ts';
import { createDebeziumRenderer } from '../codec/debezium-renderer.ts';
import type { CommitGroup, Entry } from '../connect/commit-group.ts';
import type { ConnectorProperties } from '../connect/connector.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { sampleBatch, sampleGroup, sampleSchema } from '../log/sample-batches.ts';
import { readTopics } from '../log/topic-view.ts';
import { needsRecordPath, openRecordPath } from './record-path.ts';
import type { RecordPath } from './record-path.ts';

const never = new AbortController().signal;
const debezium = debeziumOptions({ connector: 'mysql', topicPrefix: 'src', keySchemas: false, valueSchemas: false });
const plain = { 'key.converter.schemas.enable': 'false', 'value.converter.schemas.enable': 'false' };
const unwrap = { 'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState' };

function path(properties: ConnectorProperties): RecordPath {
  const made = openRecordPath({ connector: 'c', properties: { ...plain, ...properties }, debezium, log: silentLogger });
  assert.ok(made !== undefined, 'a record path');
  return made;
}

function rows(table: string, ...ids: readonly number[]): Entry {
  return {
    kind: 'changes',
    batch: sampleBatch(
      sampleSchema('shop', table),
      ids.map((id) => ({ op: 'insert', id, note: `n${id}` })),
    ),
  };
}

/** Topic, key and value of a group's records. */
function recordsOf(group: CommitGroup): readonly (readonly [string, string, string])[] {
  return group.entries.flatMap((entry) => {
    assert.equal(entry.kind, 'records');
    return entry.kind === 'records'
      ? entry.records.map(({ key, value }) => [entry.topic, String(key && Buffer.from(key)), String(value && Buffer.from(value))] as const)
      : [];
  });
}

test('rows become records in their order, one entry for each topic between two entries that are no rows', async () => {
  const group = sampleGroup('src', [rows('a', 1, 2), rows('b', 3), { kind: 'heartbeat', micros: 1 }, rows('a', 4)]);
  const made = await path({ ...unwrap, transforms: 'unwrap' }).convert(group, never);
  assert.deepEqual(
    made.entries.map((entry) => [entry.kind, entry.kind === 'records' && entry.topic, entry.kind === 'records' && entry.records.length]),
    [
      ['records', 'src.shop.a', 2],
      ['records', 'src.shop.b', 1],
      ['records', '__debezium-heartbeat.src', 1],
      ['records', 'src.shop.a', 1],
    ],
  );
  assert.deepEqual(recordsOf(made)[0], ['src.shop.a', '{"id":1}', '{"id":1,"note":"n1"}']);
  assert.equal(made.transactions, group.transactions);
  assert.equal(made.entries[0]?.kind === 'records' && made.entries[0].records[0]?.transaction, 0);
});

test('rows of several tables in one topic come in the order of their events', async () => {
  const at = (entry: Entry, ...events: readonly number[]): Entry =>
    entry.kind === 'changes' ? { kind: 'changes', batch: { ...entry.batch, events: Uint32Array.from(events) } } : entry;
  const group = sampleGroup('src', [
    at(rows('orders_eu', 1, 2, 3), 0, 2, 2),
    at(rows('lines', 10), 3),
    at(rows('orders_us', 4, 5, 6), 1, 3, 4),
    at(rows('orders_eu', 7), 5),
  ]);
  const routed = {
    transforms: 'route',
    'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.route.regex': '(.*)\\.orders_.*',
    'transforms.route.replacement': '$1.orders',
  };
  const made = await path(routed).convert(group, never);
  assert.deepEqual(
    recordsOf(made).map(([topic, key]) => `${topic} ${key}`),
    [...[1, 4, 2, 3, 5, 6, 7].map((id) => `src.shop.orders {"id":${id}}`), 'src.shop.lines {"id":10}'],
  );
});

test('a statement is of its own transaction, and not of the rows before it', async () => {
  const place = { kind: 'event', event: 1, row: 0, thread: 0 } as const;
  const ddl: Entry = { kind: 'ddl', records: [{ statement: 'CREATE TABLE a (id INT)', database: 'shop', table: 'a', changes: [], place }] };
  const group = sampleGroup('src', [rows('a', 1), ddl]);
  const two = { ...group.transactions, count: 2, committedMicros: Float64Array.of(1, 2), gtidSource: new Uint16Array(2) };
  const events = { count: 2, transaction: Uint32Array.of(0, 1), pos: Float64Array.of(4, 9), seconds: new Uint32Array(2) };
  const made = await path({ ...unwrap, transforms: 'unwrap' }).convert({ ...group, transactions: two, events }, never);
  assert.deepEqual(
    made.entries.map((entry) => entry.kind === 'records' && [entry.topic, entry.records[0]?.transaction]),
    [
      ['src.shop.a', 0],
      ['src', 1],
    ],
  );
});

test('without a transformation only other converters than JSON need it', () => {
  assert.ok(!needsRecordPath({ ...plain, 'value.converter': 'org.apache.kafka.connect.json.JsonConverter' }));
  assert.ok(needsRecordPath({ 'key.converter': 'org.apache.kafka.connect.storage.StringConverter' }));
  assert.equal(openRecordPath({ connector: 'c', properties: {}, debezium, log: silentLogger }), undefined);
});

test("keys are written by the connector's own converter", async () => {
  const keyed = {
    transforms: 'id',
    'transforms.id.type': 'org.apache.kafka.connect.transforms.ExtractField$Key',
    'transforms.id.field': 'id',
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  };
  const made = await path(keyed).convert(sampleGroup('src', [rows('a', 7)]), never);
  assert.equal(recordsOf(made)[0]?.[1], '7');
});

const failing = {
  ...unwrap,
  transforms: 'unwrap,cast',
  'transforms.cast.type': 'org.apache.kafka.connect.transforms.Cast$Value',
  'transforms.cast.spec': 'note:int32',
};

test('a fault fails with class, topic and cause', async () => {
  await assert.rejects(path(failing).convert(sampleGroup('src', [rows('a', 1)]), never), {
    code: 'TRANSFORMATION_FAILED',
    retriable: false,
    message: /transforms\.cast \(org\.apache\.kafka\.connect\.transforms\.Cast\$Value\).*src\.shop\.a.*Value \(n1\) was out of range/,
  });
  const bytes = { 'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter' };
  await assert.rejects(path(bytes).convert(sampleGroup('src', [rows('a', 1)]), never), {
    code: 'CONVERSION_FAILED',
    message: /value\.converter.*src\.shop\.a.*Invalid schema type for ByteArrayConverter: STRUCT/,
  });
});

test('with errors.tolerance=all a record with a fault is left out and counted', async () => {
  const batch = sampleBatch(sampleSchema('shop', 'a'), [
    { op: 'insert', id: 1, note: '12' },
    { op: 'insert', id: 2, note: 'x' },
    { op: 'insert', id: 3, note: '13' },
  ]);
  const tolerant = path({ ...failing, 'errors.tolerance': 'all' });
  const made = await tolerant.convert(sampleGroup('src', [{ kind: 'changes', batch }]), never);
  assert.deepEqual(
    recordsOf(made).map(([, key]) => key),
    ['{"id":1}', '{"id":3}'],
  );
  assert.deepEqual(tolerant.counts, { sent: 2, dropped: 0, failed: 1 });
});

test('what the source has converted itself is transformed, too', async () => {
  const properties = {
    transforms: 'hoist',
    'transforms.hoist.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
    'transforms.hoist.field': 'line',
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
  };
  const lines = openRecordPath({ connector: 'c', properties, debezium: undefined, log: silentLogger });
  const entry: Entry = { kind: 'records', topic: 'lines', records: [{ key: null, value: Buffer.from('hello'), headers: [] }] };
  const made = await lines?.convert(sampleGroup('c', [entry]), never);
  assert.ok(made !== undefined);
  assert.deepEqual(recordsOf(made), [['lines', 'null', 'Struct{line=hello}']]);
});

test('a topic keeps its offsets where a connector gets transformations, and where it loses them', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-record-path-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const renderer = createDebeziumRenderer(debezium);
  const rules = { topicOf: renderer.topicOf.bind(renderer), otherRecords: renderer.countOther.bind(renderer) };
  await using log = await openEmbeddedLog({ folder, maxBytes: 1e9, retentionMs: 1e9, retentionBytes: 1e9, ...rules }, never);
  const records = path({ ...unwrap, transforms: 'unwrap' });
  const append = async (group: CommitGroup): Promise<unknown> => log.append({ group, offset: {}, state: [] }, { connector: 'c' }, never);
  await append(sampleGroup('src', [rows('a', 1, 2)]));
  await append(await records.convert(sampleGroup('src', [rows('a', 3, 4, 5)]), never));
  await append(sampleGroup('src', [rows('a', 6)]));
  assert.deepEqual(
    [...readTopics(log, { source: 'src' })].map(({ topic, entry, firstOffset }) => [topic, entry.kind, firstOffset]),
    [
      ['src.shop.a', 'changes', 0],
      ['src.shop.a', 'records', 2],
      ['src.shop.a', 'changes', 5],
    ],
  );
});
