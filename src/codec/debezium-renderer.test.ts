import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../base/byte-writer.ts';
import type { CommitGroup, Entry } from '../connect/commit-group.ts';
import { writeImage } from '../event/cell.ts';
import { ChangeBatchBuilder, op, type ChangeBatch, type Op } from '../event/change-batch.ts';
import { createTableSchema, type TableSchema } from '../event/table-schema.ts';
import type { Value } from '../event/value.ts';
import { debeziumOptions, type DebeziumOptions } from './debezium-options.ts';
import { createDebeziumRenderer } from './debezium-renderer.ts';
import { optionsOfProperties } from './options-of-properties.ts';
import { renderRecordLine } from './record-line.ts';

const schema = createTableSchema({
  database: 'shop',
  table: 'item',
  primaryKey: [0],
  columns: [
    { name: 'id', type: { kind: 'int', bits: 32, unsigned: false }, nullable: false, nativeType: 'INT' },
    { name: 'name', type: { kind: 'text' }, nullable: true, nativeType: 'VARCHAR', defaultText: 'none' },
    { name: 'raw', type: { kind: 'binary' }, nullable: true, nativeType: 'BLOB' },
    { name: 'qty', type: { kind: 'int', bits: 32, unsigned: false }, nullable: true, nativeType: 'INT' },
  ],
});

interface Change {
  readonly code: Op;
  readonly event?: number;
  readonly before?: readonly Value[];
  readonly after?: readonly Value[];
}

function batchOf(changes: readonly Change[], of: TableSchema = schema): ChangeBatch {
  const builder = new ChangeBatchBuilder(of);
  for (const { code, event, before, after } of changes) {
    builder.begin(code, event ?? 0);
    if (before !== undefined) writeImage(of, before, builder.writer);
    builder.middle();
    if (after !== undefined) writeImage(of, after, builder.writer);
    builder.end();
  }
  return builder.view();
}

/** Two transactions with an event each, the second one without GTID and thread. */
const group: CommitGroup = {
  source: 'p',
  seq: 1,
  position: { file: 'b.1', pos: 900, gtids: '' },
  open: false,
  file: 'b.1',
  transactions: {
    count: 2,
    gtidSources: ['', 'u'],
    gtidSource: Uint16Array.of(1, 0),
    gtidSequence: Float64Array.of(7, 0),
    committedMicros: Float64Array.of(1_700_000_000_000_001, 1_700_000_001_500_000),
    threadId: Uint32Array.of(5, 0),
    serverId: Uint32Array.of(1, 2),
  },
  events: { count: 2, transaction: Uint32Array.of(0, 1), pos: Float64Array.of(100, 200), seconds: new Uint32Array(2) },
  entries: [],
};

interface Line {
  readonly topic: string;
  readonly offset: number;
  readonly key: unknown;
  readonly value: {
    readonly before: unknown;
    readonly after: unknown;
    readonly op: string;
    readonly source: Readonly<Record<string, unknown>>;
  } & Readonly<Record<string, unknown>>;
  readonly headers: readonly (readonly [string, string])[];
}

function linesOf(entry: Entry, options: Partial<DebeziumOptions> = {}, of: CommitGroup = group): readonly Line[] {
  const plain = { keySchemas: false, valueSchemas: false, contextHeaders: false };
  const renderer = createDebeziumRenderer(debeziumOptions({ connector: 'mysql', topicPrefix: 'p', ...plain, ...options }));
  const out = new ByteWriter(16);
  let offset = 0;
  renderer.render(of, entry, (record) => renderRecordLine(record, 0, offset++, out));
  const text = Buffer.from(out.toBytes()).toString('utf8');
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Line);
}

function entryOf(list: readonly Change[]): Entry {
  return { kind: 'changes', batch: batchOf(list) };
}

const one: readonly Value[] = [1, 'one', Buffer.of(1, 2), 5];

test('source says transaction, event, and the row in its event', () => {
  const lines = linesOf(
    entryOf([
      { code: op.insert, after: one },
      { code: op.insert, after: one },
      { code: op.insert, event: 1, after: one },
    ]),
  );
  const told = lines.map(({ value }) => {
    const { ts_us, gtid, pos, row, thread, server_id } = value.source;
    return { ts_us, gtid, pos, row, thread, server_id };
  });
  assert.deepEqual(told, [
    { ts_us: 1_700_000_000_000_001, gtid: 'u:7', pos: 100, row: 0, thread: 5, server_id: 1 },
    { ts_us: 1_700_000_000_000_001, gtid: 'u:7', pos: 100, row: 1, thread: 5, server_id: 1 },
    { ts_us: 1_700_000_001_500_000, gtid: null, pos: 200, row: 0, thread: null, server_id: 2 },
  ]);
});

test("the envelope's clock is the group's, or its newest commit", () => {
  const [line] = linesOf(entryOf([{ code: op.insert, after: one }]));
  assert.equal(line?.value['ts_ms'], 1_700_000_001_500);
  const [made] = linesOf(entryOf([{ code: op.insert, after: one }]), {}, { ...group, madeMicros: 1_700_000_002_000_003 });
  assert.deepEqual([made?.value['ts_ms'], made?.value['ts_us']], [1_700_000_002_000, 1_700_000_002_000_003]);
});

test('MariaDB has the position of the GTID event, no thread, and its own form of GTID', () => {
  const transactions = { ...group.transactions, gtidSources: ['', '0-1'], pos: Float64Array.of(90, 190) };
  const [line] = linesOf(entryOf([{ code: op.insert, after: one }]), { connector: 'mariadb' }, { ...group, transactions });
  const { connector, version, pos, thread, gtid } = line?.value.source ?? {};
  assert.deepEqual(
    { connector, version, pos, thread, gtid },
    { connector: 'mariadb', version: '3.5.0.Final', pos: 90, thread: null, gtid: '0-1-7' },
  );
});

test('a column that the after image leaves out has its value of before, or a placeholder', () => {
  const entry = entryOf([{ code: op.update, before: [1, undefined, undefined, undefined], after: [undefined, undefined, undefined, 6] }]);
  const [line, ...more] = linesOf(entry);
  assert.equal(more.length, 0);
  assert.deepEqual(line?.key, { id: 1 });
  const placeholder = '__debezium_unavailable_value';
  const raw = Buffer.from(placeholder).toString('base64');
  assert.deepEqual(line.value.before, { id: 1, name: placeholder, raw, qty: null });
  assert.deepEqual(line.value.after, { id: 1, name: placeholder, raw, qty: 6 });
  const full = linesOf(entryOf([{ code: op.update, before: [1, 'n', null, undefined], after: [undefined, undefined, undefined, 6] }]));
  assert.deepEqual(full[0]?.value.after, { id: 1, name: 'n', raw: null, qty: 6 });
});

test('a changed key is a delete, its tombstone and a create, which name the other key', () => {
  const entry = entryOf([{ code: op.update, before: one, after: [2, 'one', null, 5] }]);
  const shape = (lines: readonly Line[]): unknown => lines.map(({ key, value, headers }) => [key, value?.op ?? null, headers]);
  const newKey = [['__debezium.newkey', '{"id":2}']];
  const oldKey = [['__debezium.oldkey', '{"id":1}']];
  assert.deepEqual(shape(linesOf(entry)), [
    [{ id: 1 }, 'd', newKey],
    [{ id: 1 }, null, newKey],
    [{ id: 2 }, 'c', oldKey],
  ]);
  assert.deepEqual(shape(linesOf(entry, { tombstones: false })), [
    [{ id: 1 }, 'd', newKey],
    [{ id: 2 }, 'c', oldKey],
  ]);
  assert.deepEqual(linesOf(entry, { skippedOperations: new Set(['u']) }), []);
});

test('in headers only quotes and backslashes of a key are escaped, and decimals are plain numbers', () => {
  const keyed = createTableSchema({
    database: 'd',
    table: 't',
    primaryKey: [1, 0],
    columns: [
      { name: 'a', type: { kind: 'decimal', precision: 6, scale: 2, unsigned: false }, nullable: false, nativeType: 'DECIMAL' },
      { name: 'b', type: { kind: 'text' }, nullable: false, nativeType: 'VARCHAR' },
    ],
  });
  const batch = batchOf([{ code: op.update, before: ['1.50', 'x'], after: ['-0.05', 'q"\\\n😀'] }], keyed);
  const [line] = linesOf({ kind: 'changes', batch });
  assert.deepEqual(line?.headers, [['__debezium.newkey', '{"b":"q\\"\\\\\n😀","a":-0.05}']]);
  const [json] = linesOf({ kind: 'changes', batch }, { headerFormat: 'json' });
  assert.deepEqual(json?.headers, [['__debezium.newkey', '{"b":"q\\"\\\\\\n\\uD83D\\uDE00","a":"+w=="}']]);
});

test('skipped operations have no records, and tombstones can be off', () => {
  const entry = entryOf([
    { code: op.insert, after: one },
    { code: op.update, before: one, after: one },
    { code: op.delete, before: one },
  ]);
  const letters = (options: Partial<DebeziumOptions>): unknown => linesOf(entry, options).map(({ value }) => value?.op ?? null);
  assert.deepEqual(letters({}), ['c', 'u', 'd', null]);
  assert.deepEqual(letters({ tombstones: false }), ['c', 'u', 'd']);
  assert.deepEqual(letters({ skippedOperations: new Set(['c', 'd']) }), ['u']);
});

test('rows of a chunk carry the markers of their place in the snapshot', () => {
  const markers = (rows: number, ends: Pick<Extract<Entry, { kind: 'chunk' }>, 'first' | 'last'>): unknown => {
    const batch = batchOf(Array.from({ length: rows }, (_, id) => ({ code: op.read, after: [id, null, null, null] })));
    const position = { file: 'b.9', pos: 77, gtids: '' };
    const withoutEvents = { ...group, events: { ...group.events, count: 0 } };
    const lines = linesOf({ kind: 'chunk', snapshot: 's', batch, position, readMicros: 1_700_000_000_999_999, ...ends }, {}, withoutEvents);
    for (const { value } of lines) {
      const { file, pos, row, server_id, gtid, ts_us } = value.source;
      const expected = { file: 'b.9', pos: 77, row: 0, server_id: 0, gtid: null, ts_us: 1_700_000_000_000_000 };
      assert.deepEqual({ file, pos, row, server_id, gtid, ts_us }, expected);
      assert.equal(value.op, 'r');
    }
    return lines.map(({ value }) => value.source['snapshot']);
  };
  assert.deepEqual(markers(3, { first: 'snapshot', last: 'table' }), ['first', 'true', 'last_in_data_collection']);
  assert.deepEqual(markers(2, { first: 'table', last: 'snapshot' }), ['first_in_data_collection', 'last']);
  assert.deepEqual(markers(2, {}), ['true', 'true']);
  assert.deepEqual(markers(1, { first: 'table', last: 'table' }), ['last_in_data_collection']);
  assert.deepEqual(markers(1, { first: 'snapshot', last: 'snapshot' }), ['last']);
});

test('a row without a key has a null key, and so has its tombstone', () => {
  const keyless = createTableSchema({ ...schema, primaryKey: [] });
  const batch = batchOf([{ code: op.delete, before: one }], keyless);
  const lines = linesOf({ kind: 'changes', batch });
  assert.deepEqual(
    lines.map(({ key, value }) => [key, value?.op ?? null]),
    [
      [null, 'd'],
      [null, null],
    ],
  );
});

interface Struct {
  readonly fields?: readonly Struct[];
}

test('one renderer serves several tables and versions of a table', () => {
  const renderer = createDebeziumRenderer(debeziumOptions({ connector: 'mysql', topicPrefix: 'p' }));
  const [first] = schema.columns;
  assert.ok(first !== undefined);
  const narrow = createTableSchema({ ...schema, columns: [first] });
  const again = createTableSchema(schema);
  const sizes = [schema, narrow, again].map((of) => {
    const batch = batchOf([{ code: op.insert, after: of === narrow ? [1] : one }], of);
    let payload = '';
    renderer.render(group, { kind: 'changes', batch }, ({ bytes, valueStart, valueEnd }) => {
      payload = Buffer.from(bytes.subarray(valueStart, valueEnd)).toString('utf8');
    });
    const { schema: told, payload: envelope } = JSON.parse(payload) as { schema: Struct; payload: { after: object } };
    return [told.fields?.[1]?.fields?.length, Object.keys(envelope.after).length];
  });
  assert.deepEqual(sizes, [
    [4, 4],
    [1, 1],
    [4, 4],
  ]);
});

test('columns of a period that nobody named are in no record, and versions that have ended have none', () => {
  const period = { type: { kind: 'timestamp', fsp: 6 }, nullable: false, nativeType: 'TIMESTAMP', invisible: true } as const;
  const versioned = createTableSchema({
    database: 'shop',
    table: 'price',
    primaryKey: [0, 2],
    columns: [
      { name: 'id', type: { kind: 'int', bits: 32, unsigned: false }, nullable: false, nativeType: 'INT' },
      { name: 'row_start', versioning: 'start', ...period },
      { name: 'row_end', versioning: 'end', ...period },
    ],
  });
  const live: readonly Value[] = [7, '2024-01-01 00:00:00.000000', '2106-02-07 06:28:15.999999'];
  const ended: readonly Value[] = [7, '2024-01-01 00:00:00.000000', '2024-05-01 00:00:00.000000'];
  const batch = batchOf(
    [
      { code: op.insert, after: live },
      { code: op.update, before: live, after: live },
      { code: op.insert, after: ended },
    ],
    versioned,
  );
  const lines = linesOf({ kind: 'changes', batch });
  assert.deepEqual(
    lines.map(({ key, value: { op: code, after } }) => [code, key, after]),
    [
      ['c', { id: 7 }, { id: 7 }],
      ['u', { id: 7 }, { id: 7 }],
    ],
  );
});

test('keys have the form of their own converter', () => {
  const priced = createTableSchema({
    database: 'shop',
    table: 'price',
    primaryKey: [0],
    columns: [
      { name: 'amount', type: { kind: 'decimal', precision: 6, scale: 2, unsigned: false }, nullable: false, nativeType: 'DECIMAL' },
    ],
  });
  const entry: Entry = { kind: 'changes', batch: batchOf([{ code: op.insert, after: ['1.50'] }], priced) };
  const told = (properties: Readonly<Record<string, string>>): unknown => {
    const off = { 'key.converter.schemas.enable': 'false', 'value.converter.schemas.enable': 'false', 'topic.prefix': 'p' };
    const [line] = linesOf(entry, optionsOfProperties('mysql', { ...off, ...properties }));
    return [line?.key, line?.value.after];
  };
  // 150 is 0x0096.
  assert.deepEqual(told({}), [{ amount: 'AJY=' }, { amount: 'AJY=' }]);
  assert.deepEqual(told({ 'value.converter.decimal.format': 'NUMERIC' }), [{ amount: 'AJY=' }, { amount: 1.5 }]);
  assert.deepEqual(told({ 'key.converter.decimal.format': 'NUMERIC' }), [{ amount: 1.5 }, { amount: 'AJY=' }]);
});
