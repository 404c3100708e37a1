/** A replica in memory that is fed by a snapshot's steps and by the binlog: every row that comes twice or is missed is an error. */
import assert from 'node:assert/strict';
import { openConnection } from '../binlog/connection.ts';
import type { ConnectionSettings, ServerConnection } from '../binlog/connection.ts';
import { openBinlogStream } from '../binlog/stream.ts';
import type { BinlogEvent } from '../binlog/events.ts';
import { ChangeBatchBuilder, op } from '../event/change-batch.ts';
import type { ChangeBatch } from '../event/change-batch.ts';
import { tableName } from '../event/table-schema.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';
import { loadCharsets } from './charset.ts';
import { readTextRows } from './read-text-rows.ts';
import { readTableSchemas } from './read-schema.ts';
import { RowsMapper } from './rows-mapper.ts';
import { comparePositions } from './server-position.ts';
import type { Snapshot, SnapshotOptions, SnapshotStep } from './snapshot-contract.ts';
import { decision } from './snapshot-filter.ts';
import { batchRows, imageTexts, never } from './snapshot.fixture.ts';
import { allRows } from './snapshot-reader.ts';
import { prepareSession } from './snapshot-session.ts';
import type { BinlogPlace } from './snapshot-table.ts';
import { selectList } from './text-row.ts';

/** Rows as text with the number of times they are there. */
export type Rows = Map<string, number>;

export class Replica {
  readonly tables = new Map<string, Rows>();
  readonly schemas = new Map<string, TableSchema>();
  /** The state records as the log would have them. */
  readonly state = new Map<string, string>();
  readonly database: string;
  /** End of the last transaction that was taken from the stream. */
  place: BinlogPlace | undefined;
  #events: readonly BinlogEvent[] = [];
  #next = 0;
  #stream: Awaited<ReturnType<typeof openBinlogStream>> | undefined;
  #mapper: RowsMapper | undefined;
  readonly #connection: ConnectionSettings;
  kept = 0;
  dropped = 0;

  constructor(connection: ConnectionSettings, database: string) {
    this.#connection = connection;
    this.database = database;
  }

  readTables: SnapshotOptions['readTables'] = (connection, tables, signal) =>
    readTableSchemas(
      connection,
      (id) => id.database === this.database && (tables === undefined || tables.some(({ table }) => table === id.table)),
      signal,
    );

  get isStreaming(): boolean {
    return this.#stream !== undefined;
  }

  /** As the source task does: the entry and the records in one append. */
  takeStep(step: SnapshotStep): void {
    switch (step.kind) {
      case 'begin':
        for (const table of step.tables) this.#beginTable(table);
        this.place ??= step.position;
        break;
      case 'tableRestart':
        this.#beginTable(step.table);
        break;
      case 'tableDropped':
        this.tables.delete(tableName(step.table));
        break;
      case 'chunk': {
        assert.ok(this.place === undefined || comparePositions(step.position, this.place) >= 0, 'a chunk from before the stream');
        for (const row of batchRows(step.batch)) this.#insert(step.batch.schema, JSON.stringify(row));
        break;
      }
      case 'end':
        break;
    }
    this.store(step.state);
  }

  store(records: SnapshotStep['state']): void {
    for (const { key, value } of records) {
      if (value === null) this.state.delete(key);
      else this.state.set(key, value);
    }
  }

  #beginTable(table: TableSchema): void {
    this.tables.set(tableName(table), new Map());
    this.schemas.set(tableName(table), table);
    this.#mapper?.forgetTables();
  }

  /** Reads the stream up to a place between two transactions, but not past the snapshot's hold. */
  async streamTo(end: BinlogPlace, snapshot: Snapshot | undefined): Promise<void> {
    assert.ok(this.place !== undefined);
    if (this.#stream === undefined) {
      const start = { position: { file: this.place.file, position: this.place.pos } };
      const serverId = 1000 + Math.floor(Math.random() * 1e6);
      this.#stream = await openBinlogStream(
        { connection: this.#connection, serverId, start, heartbeatMs: 50, readTimeoutMs: 20_000 },
        never,
      );
      await using control = await openConnection(this.#connection, never);
      this.#mapper = new RowsMapper({
        captures: ({ database }) => database === this.database,
        charsets: await loadCharsets(control, never),
        models: {
          isAbsent: () => false,
          find: (database, table) => {
            const full = this.schemas.get(tableName({ database, table }));
            return full === undefined ? undefined : { full, captured: full, positions: full.columns.map((_column, i) => i) };
          },
        },
      });
    }
    while (comparePositions(this.place, end) < 0 && (snapshot?.hold === undefined || comparePositions(this.place, snapshot.hold) < 0)) {
      const event = this.#events[this.#next++];
      if (event === undefined) {
        this.#events = await this.#stream.read(never);
        this.#next = 0;
        continue;
      }
      this.#take(event, snapshot);
    }
  }

  #take(event: BinlogEvent, snapshot: Snapshot | undefined): void {
    const filter =
      snapshot === undefined
        ? undefined
        : { filter: snapshot.filter, tellsDropped: false, tableChanged: (table: TableId) => snapshot.tableChanged(table) };
    const place = { file: event.file, pos: event.nextPosition - 1 };
    // Before the snapshot begins there is no replica of a table.
    if (event.type === 'ROWS' && event.table.database === this.database && this.schemas.has(tableName(event.table))) {
      const rows = this.#mapper?.open(event.table, { place, snapshot: filter });
      assert.notEqual(rows, 'unknown');
      if (rows === undefined || rows === 'unknown') {
        this.dropped++;
        return;
      }
      const batch = new ChangeBatchBuilder(rows.program.schema);
      this.#mapper?.map(event, rows, { batch, index: 0 });
      if (batch.count === 0) this.dropped++;
      else this.kept++;
      this.#apply(batch.view());
    }
    if (event.type === 'QUERY' && /^TRUNCATE/i.test(event.sql)) {
      const table = /(\w+)$/.exec(event.sql)?.[1] ?? '';
      const id = { database: this.database, table };
      const verdict = snapshot?.filter.table(id)?.decideStatement(place) ?? decision.keep;
      if (verdict === decision.keep) this.tables.get(tableName(id))?.clear();
      if (verdict === decision.restart) snapshot?.tableChanged(id);
    }
    if (
      event.type === 'XID' ||
      event.type === 'HEARTBEAT' ||
      event.type === 'ROTATE' ||
      (event.type === 'QUERY' && /^(COMMIT|TRUNCATE|ALTER|DROP|CREATE)/i.test(event.sql))
    ) {
      this.place = { file: event.file, pos: event.nextPosition };
    }
  }

  #apply(batch: ChangeBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const [before = 0, after = 0, end = 0] = batch.starts.subarray(2 * i, 2 * i + 3);
      if (batch.ops[i] !== op.insert) this.#delete(batch.schema, JSON.stringify(imageTexts(batch.schema, batch.bytes, before, after)));
      if (batch.ops[i] !== op.delete) this.#insert(batch.schema, JSON.stringify(imageTexts(batch.schema, batch.bytes, after, end)));
    }
  }

  #insert(schema: TableSchema, row: string): void {
    const rows = this.tables.get(tableName(schema));
    assert.ok(rows !== undefined, `${tableName(schema)} is not there`);
    const count = rows.get(row) ?? 0;
    assert.ok(count === 0 || schema.primaryKey.length === 0, `${tableName(schema)}: ${row} is inserted twice`);
    rows.set(row, count + 1);
  }

  #delete(schema: TableSchema, row: string): void {
    const rows = this.tables.get(tableName(schema));
    const count = rows?.get(row) ?? 0;
    assert.ok(rows !== undefined && count > 0, `${tableName(schema)}: ${row} is deleted, and is not there`);
    if (count === 1) rows.delete(row);
    else rows.set(row, count - 1);
  }

  /** Compares all tables with what the server has now. */
  async assertEqual(): Promise<void> {
    await using connection = await openConnection(this.#connection, never);
    await prepareSession(connection, never);
    const schemas = await this.readTables(connection, undefined, never);
    assert.deepEqual([...this.tables.keys()].sort(), schemas.map((schema) => tableName(schema)).sort());
    for (const schema of schemas) {
      const expected = await readRows(connection, schema);
      const actual = this.tables.get(tableName(schema)) ?? new Map<string, number>();
      const wrong = [...new Set([...expected.keys(), ...actual.keys()])].filter((row) => expected.get(row) !== actual.get(row));
      assert.deepEqual(wrong.slice(0, 5), [], `${tableName(schema)}: ${wrong.length} rows differ of ${expected.size}`);
    }
  }

  async close(): Promise<void> {
    await this.#stream?.[Symbol.asyncDispose]();
    this.#stream = undefined;
  }
}

export async function readRows(connection: ServerConnection, schema: TableSchema): Promise<Rows> {
  const builder = new ChangeBatchBuilder(schema);
  const sql = `SELECT ${selectList(schema.columns)} FROM ${allRows(schema)}`;
  await readTextRows(connection, { schema, sql, code: op.read, into: builder }, never);
  const rows: Rows = new Map();
  for (const row of batchRows(builder.view())) {
    const text = JSON.stringify(row);
    rows.set(text, (rows.get(text) ?? 0) + 1);
  }
  return rows;
}
