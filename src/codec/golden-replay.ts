import assert from 'node:assert/strict';
import type { CommitGroup, Entry } from '../connect/commit-group.ts';
import { writeImage } from '../event/cell.ts';
import { ChangeBatchBuilder, op } from '../event/change-batch.ts';
import type { Column, TableSchema } from '../event/table-schema.ts';
import type { Value } from '../event/value.ts';
import { valueOf } from './golden-column.ts';
import { tableAt, type GoldenFixture, type GoldenRecord, type GoldenSource } from './golden-fixture.ts';
import { membersOf } from './golden-text.ts';

/* Test support: the commit groups that a source would have made for a recording's records. */

/** Microseconds that stand for the connector's clock in every envelope. */
export const replayClock = 1_795_000_000_123_456;

/** Entries to render, each in its group. */
export interface Replay {
  readonly group: CommitGroup;
  readonly entry: Entry;
}

/** Gives another cell in place of one, to see that the record is the same. */
export type Substitute = (column: Column, value: Value, token: string) => Value;

/** One recorded change with its raw images. */
interface Change {
  readonly code: (typeof op)[keyof typeof op];
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly source: GoldenSource;
}

/** What was given for the records of one topic, event by event and chunk by chunk. */
export function replayTopic(fixture: GoldenFixture, topic: string, substitute: Substitute): readonly Replay[] {
  const changes = changesOf(fixture.records.filter((record) => record.schema.topic === topic));
  return eventsOf(changes).map((event) => replayEvent(fixture, event, substitute));
}

const codes: Readonly<Record<string, Change['code']>> = { c: op.insert, u: op.update, d: op.delete, r: op.read };

/** Records as row changes: three of a key change are one update. */
function changesOf(records: readonly GoldenRecord[]): readonly Change[] {
  const changes: Change[] = [];
  let deleted: GoldenRecord | undefined;
  for (const record of records) {
    if (record.op === undefined || record.source === undefined) continue;
    const [header] = record.headers[0] ?? [];
    if (header === '__debezium.newkey') {
      deleted = record;
    } else if (header === '__debezium.oldkey') {
      changes.push({ code: op.update, before: deleted?.before, after: record.after, source: record.source });
    } else {
      changes.push({ code: codes[record.op] ?? op.insert, before: record.before, after: record.after, source: record.source });
    }
  }
  return changes;
}

/** Rows of one row event; rows of one table's snapshot. */
function eventsOf(changes: readonly Change[]): readonly (readonly Change[])[] {
  const events: Change[][] = [];
  for (const change of changes) {
    const last = events.at(-1)?.at(-1);
    const goesOn = last !== undefined && last.code === change.code && last.source.table === change.source.table;
    const isNext = goesOn && (change.code === op.read || isNextRow(last.source, change.source));
    if (isNext) events.at(-1)?.push(change);
    else events.push([change]);
  }
  return events;
}

function isNextRow(last: GoldenSource, next: GoldenSource): boolean {
  return last.pos === next.pos && last.file === next.file && last.gtid === next.gtid && last.row + 1 === next.row;
}

function replayEvent(fixture: GoldenFixture, changes: readonly Change[], substitute: Substitute): Replay {
  const [first] = changes;
  assert.ok(first !== undefined);
  const { source } = first;
  const schema = tableAt(fixture, source);
  assert.equal(source.row, 0, 'an event begins with its first row');
  const builder = new ChangeBatchBuilder(schema);
  const write = (image: string | undefined): void => {
    if (image === undefined) return;
    const values = valuesOf({ schema, image, fixture, substitute, snapshot: first.code === op.read });
    writeImage(schema, values, builder.writer);
  };
  for (const { code, before, after } of changes) {
    builder.begin(code, 0);
    write(before);
    builder.middle();
    write(after);
    builder.end();
  }
  const batch = builder.view();
  if (first.code !== op.read) return { group: groupOf(fixture, source), entry: { kind: 'changes', batch } };
  const last = changes.at(-1)?.source.snapshot;
  return {
    group: groupOf(fixture, source),
    entry: {
      kind: 'chunk',
      snapshot: 's',
      batch,
      position: { file: source.file, pos: source.pos, gtids: '' },
      readMicros: source.tsMicros,
      first: source.snapshot === 'first' ? 'snapshot' : 'table',
      last: last === 'last' ? 'snapshot' : 'table',
    },
  };
}

interface ImageText {
  readonly schema: TableSchema;
  readonly image: string;
  readonly fixture: GoldenFixture;
  readonly substitute: Substitute;
  readonly snapshot: boolean;
}

function valuesOf({ schema, image, fixture, substitute, snapshot }: ImageText): Value[] {
  const tokens = [...membersOf(image).values()];
  assert.equal(tokens.length, schema.columns.length);
  return schema.columns.map((column, position) => {
    const token = tokens[position] ?? 'null';
    // a snapshot's own text ends without zeros, so this is the default, put in place of a zero timestamp
    if (snapshot && column.type.kind === 'timestamp' && /\.\d*0Z"$/.test(token)) return '0000-00-00 00:00:00';
    return substitute(column, valueOf(column, token, fixture.options), token);
  });
}

function groupOf({ options }: GoldenFixture, source: GoldenSource): CommitGroup {
  const mariadb = options.connector === 'mariadb';
  const [, gtidSource = '', sequence = '0'] = /^(.*)[:-](\d+)$/.exec(source.gtid ?? '') ?? [];
  return {
    source: options.topicPrefix,
    seq: 1,
    position: { file: source.file, pos: source.pos, gtids: '' },
    open: false,
    file: source.file,
    madeMicros: replayClock,
    transactions: {
      count: 1,
      gtidSources: ['', gtidSource],
      gtidSource: Uint16Array.of(1),
      gtidSequence: Float64Array.of(Number(sequence)),
      committedMicros: Float64Array.of(source.tsMicros),
      threadId: Uint32Array.of(source.thread ?? 0),
      serverId: Uint32Array.of(source.serverId),
      ...(mariadb && { pos: Float64Array.of(source.pos) }),
    },
    events: {
      count: 1,
      transaction: Uint32Array.of(0),
      pos: Float64Array.of(mariadb ? 4711 : source.pos),
      seconds: Uint32Array.of(Math.floor(source.tsMicros / 1e6)),
    },
    entries: [],
  };
}
