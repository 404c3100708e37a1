import fc from 'fast-check';
import type { CommitGroup, Entry, EventTable, SnapshotNotification, SourcePosition, TransactionTable } from '../connect/commit-group.ts';
import type { SerializedHeader, SerializedRecord } from '../connect/record.ts';
import type { ChangeBatch } from '../event/change-batch.ts';
import type { ColumnType } from '../event/column-type.ts';
import type { ColumnOrigin, SchemaChange } from '../event/schema-change.ts';
import { createTableSchema } from '../event/table-schema.ts';
import type { Column, TableSchema } from '../event/table-schema.ts';

/*
 * Groups for tests: any that the types allow, whether or not a source would make them. Every field of the types must be
 * named here to compile, so that the codec cannot forget one that is added.
 */

type EveryField<T> = { [Field in keyof T]-?: fc.Arbitrary<Exclude<T[Field], undefined>> };
type EntryOf<Kind extends Entry['kind']> = Extract<Entry, { kind: Kind }>;

const text = fc.string({ unit: 'binary', maxLength: 12 });
const uint32 = fc.nat(0xffffffff);

const columnType: fc.Arbitrary<ColumnType> = fc.oneof(
  fc.record({ kind: fc.constant('int' as const), bits: fc.constantFrom(8, 16, 24, 32, 64), unsigned: fc.boolean() }),
  fc.record({ kind: fc.constant('text' as const) }),
  fc.record({ kind: fc.constant('enum' as const), labels: fc.array(text, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('datetime' as const), fsp: fc.constantFrom(0, 3, 6) }),
);

const column: fc.Arbitrary<Column> = fc.record(
  { name: text, type: columnType, nullable: fc.boolean(), nativeType: text, defaultText: fc.option(text), comment: text },
  { requiredKeys: ['name', 'type', 'nullable', 'nativeType'] },
);

const arbitrarySchema: fc.Arbitrary<TableSchema> = fc
  .record({ database: text, table: text, columns: fc.array(column, { maxLength: 4 }) })
  .map((parts) => createTableSchema({ ...parts, primaryKey: parts.columns.length > 0 ? [0] : [] }));

const positionFields: EveryField<SourcePosition> = { file: text, pos: fc.maxSafeNat(), gtids: text };
const position = fc.record(positionFields);

const row = fc.tuple(fc.constantFrom(1, 2, 3, 4), uint32, fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 9 }));

const arbitraryBatch: fc.Arbitrary<ChangeBatch> = fc.tuple(arbitrarySchema, fc.array(row, { maxLength: 5 })).map(([schema, rows]) => {
  const images = rows.flatMap(([, , before, after]) => [before, after]);
  const starts = [0];
  for (const image of images) starts.push((starts.at(-1) ?? 0) + image.length);
  return {
    schema,
    count: rows.length,
    ops: Uint8Array.from(rows, ([code]) => code),
    events: Uint32Array.from(rows, ([, event]) => event),
    starts: Uint32Array.from(starts),
    bytes: Uint8Array.from(images.flatMap((image) => [...image])),
  };
});

const origin: fc.Arbitrary<ColumnOrigin> = fc.oneof(fc.record({ from: fc.nat(4000) }), fc.record({ fill: fc.option(text) }));

const schemaChange: fc.Arbitrary<SchemaChange> = fc.oneof(
  fc.record({ kind: fc.constant('createTable' as const), after: arbitrarySchema }),
  fc.record({ kind: fc.constantFrom('dropTable' as const, 'truncateTable' as const), before: arbitrarySchema }),
  fc.record({ kind: fc.constant('renameTable' as const), before: arbitrarySchema, after: arbitrarySchema }),
  fc.record({
    kind: fc.constant('alterTable' as const),
    before: arbitrarySchema,
    after: arbitrarySchema,
    columns: fc.array(origin, { maxLength: 3 }),
  }),
);

const changesFields: EveryField<EntryOf<'changes'>> = { kind: fc.constant('changes' as const), batch: arbitraryBatch };
const schemaFields: EveryField<EntryOf<'schema'>> = {
  kind: fc.constant('schema' as const),
  database: text,
  statement: text,
  event: fc.integer({ min: -1, max: 1000 }),
  changes: fc.array(schemaChange, { maxLength: 3 }),
};
const beginFields: EveryField<EntryOf<'snapshotBegin'>> = {
  kind: fc.constant('snapshotBegin' as const),
  snapshot: text,
  tables: fc.array(arbitrarySchema, { maxLength: 3 }),
  initial: fc.boolean(),
  told: fc.constant(true),
  whole: fc.constant(true),
};
const edge = fc.constantFrom('table' as const, 'snapshot' as const);
const chunkFields: EveryField<EntryOf<'chunk'>> = {
  kind: fc.constant('chunk' as const),
  snapshot: text,
  batch: arbitraryBatch,
  position,
  readMicros: fc.maxSafeNat(),
  first: edge,
  last: edge,
};
const endFields: EveryField<EntryOf<'snapshotEnd'>> = {
  kind: fc.constant('snapshotEnd' as const),
  snapshot: text,
  tables: fc.array(fc.record({ database: text, table: text }), { maxLength: 3 }),
};

const bytes = fc.option(fc.uint8Array({ maxLength: 9 }));
const serializedHeader: EveryField<SerializedHeader> = { name: text, value: bytes };
const serializedRecord: EveryField<SerializedRecord> = {
  key: bytes,
  value: bytes,
  headers: fc.array(fc.record(serializedHeader), { maxLength: 2 }),
  timestamp: fc.maxSafeNat(),
  transaction: fc.nat(0xffff),
};
const recordsFields: EveryField<EntryOf<'records'>> = {
  kind: fc.constant('records' as const),
  topic: text,
  records: fc.array(fc.record(serializedRecord, { requiredKeys: ['key', 'value', 'headers'] }), { maxLength: 3 }),
  told: fc.constant(true),
};

const ddlFields: EveryField<EntryOf<'ddl'>> = {
  kind: fc.constant('ddl' as const),
  records: fc.array(
    fc.record({
      statement: text,
      database: text,
      table: fc.option(text),
      changes: fc.array(
        fc.record(
          {
            kind: fc.constantFrom('CREATE' as const, 'ALTER' as const, 'DROP' as const),
            id: fc.record({ database: text, table: text }),
            schema: arbitrarySchema,
          },
          { requiredKeys: ['kind', 'id'] },
        ),
        { maxLength: 2 },
      ),
      place: fc.oneof(
        fc.record(
          { kind: fc.constant('event' as const), event: fc.nat(9), row: fc.nat(9), thread: fc.nat(9), gtids: text },
          { requiredKeys: ['kind', 'event', 'row', 'thread'] },
        ),
        fc.record({ kind: fc.constant('snapshot' as const), file: text, pos: fc.nat(9), micros: fc.maxSafeNat(), last: fc.boolean() }),
      ),
    }),
    { maxLength: 2 },
  ),
};
const marksFields: EveryField<EntryOf<'transactionMarks'>> = {
  kind: fc.constant('transactionMarks' as const),
  marks: fc.array(
    fc.record({
      status: fc.constantFrom('BEGIN' as const, 'END' as const),
      id: text,
      micros: fc.maxSafeNat(),
      tables: fc.array(fc.record({ database: text, table: text, records: fc.nat(9) }), { maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
};
const heartbeatFields: EveryField<EntryOf<'heartbeat'>> = { kind: fc.constant('heartbeat' as const), micros: fc.maxSafeNat() };
const toldFields: EveryField<EntryOf<'told'>> = { kind: fc.constant('told' as const), batch: arbitraryBatch };
const notificationFields: EveryField<SnapshotNotification> = {
  id: text,
  type: text,
  aggregate: text,
  data: fc.array(fc.tuple(text, text), { maxLength: 2 }),
  timestamp: fc.maxSafeNat(),
};
const notificationsFields: EveryField<EntryOf<'notifications'>> = {
  kind: fc.constant('notifications' as const),
  topic: text,
  notifications: fc.array(fc.record(notificationFields), { maxLength: 2 }),
};

const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record(ddlFields),
  fc.record(marksFields),
  fc.record(heartbeatFields),
  fc.record(toldFields),
  fc.record(notificationsFields),
  fc.record(recordsFields, { requiredKeys: ['kind', 'topic', 'records'] }),
  fc.record(changesFields),
  fc.record(schemaFields),
  fc.record(beginFields, { requiredKeys: ['kind', 'snapshot', 'tables', 'initial'] }),
  fc.record(chunkFields, { requiredKeys: ['kind', 'snapshot', 'batch', 'position'] }),
  fc.record(endFields),
);

function columns(count: number): {
  floats: fc.Arbitrary<Float64Array>;
  uint32s: fc.Arbitrary<Uint32Array>;
  uint16s: fc.Arbitrary<Uint16Array>;
} {
  const bounds = { minLength: count, maxLength: count };
  return {
    floats: fc.array(fc.maxSafeNat(), bounds).map((values) => Float64Array.from(values)),
    uint32s: fc.array(uint32, bounds).map((values) => Uint32Array.from(values)),
    uint16s: fc.array(fc.nat(0xffff), bounds).map((values) => Uint16Array.from(values)),
  };
}

const transactions: fc.Arbitrary<TransactionTable> = fc.nat(6).chain((count) => {
  const { floats, uint32s, uint16s } = columns(count);
  const fields: EveryField<TransactionTable> = {
    count: fc.constant(count),
    gtidSources: fc.array(text, { maxLength: 3 }),
    gtidSource: uint16s,
    gtidSequence: floats,
    committedMicros: floats,
    threadId: uint32s,
    serverId: uint32s,
    pos: floats,
  };
  const { pos, ...rest } = fields;
  return fc.oneof(fc.record(rest), fc.record({ ...rest, pos }));
});

const events: fc.Arbitrary<EventTable> = fc.nat(6).chain((count) => {
  const { floats, uint32s } = columns(count);
  const fields: EveryField<EventTable> = {
    count: fc.constant(count),
    transaction: uint32s,
    pos: floats,
    seconds: uint32s,
    order: fc.record({ total: uint32s, ofTable: uint32s }),
    queries: fc.array(fc.option(text), { minLength: count, maxLength: count }),
  };
  return fc.record(fields, { requiredKeys: ['count', 'transaction', 'pos', 'seconds'] });
});

const groupFields: EveryField<CommitGroup> = {
  source: text,
  seq: fc.maxSafeNat(),
  position,
  open: fc.boolean(),
  file: text,
  madeMicros: fc.maxSafeNat(),
  run: text,
  transactions,
  events,
  entries: fc.array(entry, { maxLength: 5 }),
};
const { madeMicros, run, ...alwaysThere } = groupFields;

export const arbitraryGroup: fc.Arbitrary<CommitGroup> = fc
  .oneof(fc.record(alwaysThere), fc.record({ ...alwaysThere, madeMicros, run }))
  // fast-check's records have no prototype, which deepEqual would tell from ours
  .map((group) => structuredClone(group));
