import { randomBytes } from 'node:crypto';
import { MillraceError, messageOf } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import type { Logger } from '../base/logger.ts';
import { openConnection } from '../binlog/connection.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import type { SourcePosition } from '../connect/commit-group.ts';
import type { StateRecord, TableProgress } from '../connect/tasks.ts';
import type { ChangeBatch } from '../event/change-batch.ts';
import { createTableSchema, tableName } from '../event/table-schema.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';
import { comparePositions, readServerPosition } from './server-position.ts';
import type { Snapshot, SnapshotOptions, SnapshotStep } from './snapshot-contract.ts';
import { SnapshotFilter } from './snapshot-filter.ts';
import { planTables } from './snapshot-plan.ts';
import { createChunkQueue } from './snapshot-queue.ts';
import type { ChunkQueue } from './snapshot-queue.ts';
import { findLastTable, isTableError } from './snapshot-last-table.ts';
import { createPartReader, markLocks } from './snapshot-reader.ts';
import type { ChunkEnd } from './snapshot-reader.ts';
import { prepareSession } from './snapshot-session.ts';
import { inSelectionOrder } from './snapshot-selection.ts';
import { headerRecord, partRecord, readSnapshotState, removalRecords, restoreTable, tableRecords } from './snapshot-state.ts';
import type { StoredSnapshot, StoredTable } from './snapshot-state.ts';
import { applyChunk, createSnapshotTable, isDone, rowsOf } from './snapshot-table.ts';
import type { BinlogPlace, Part, SnapshotTable } from './snapshot-table.ts';
import { createSnapshotViews, oldestOf } from './snapshot-views.ts';
import type { SnapshotViews } from './snapshot-views.ts';

const defaultChunkBytes = 4 * 1024 * 1024;
/** Most tables that a round takes on; each view is good only for tables whose definitions are looked at after it was opened. */
const roundTables = 500;

/**
 * Starts or continues a snapshot. Its work runs beside the caller, as far as the caller takes steps.
 *
 * @throws MYSQL_UNREACHABLE, MYSQL_ACCESS_DENIED
 */
export async function openSnapshot(options: SnapshotOptions, signal: AbortSignal): Promise<Snapshot> {
  const control = await openConnection(options.connection, signal);
  try {
    await prepareSession(control, signal);
    const run = new SnapshotRun(options, control);
    await run.start(signal);
    return run;
  } catch (error) {
    control.destroy();
    throw error;
  }
}

interface Work {
  readonly table: SnapshotTable;
  readonly part: Part;
}

interface Round {
  readonly connection: ServerConnection;
  readonly position: SourcePosition;
  readonly deadline: number;
}

interface ReadChunk extends Work, ChunkEnd {
  readonly position: SourcePosition;
  readonly readMicros: number;
  readonly batch: ChangeBatch;
}

class SnapshotRun implements Snapshot {
  readonly id: string;
  readonly initial: boolean;
  readonly filter = new SnapshotFilter();
  hold: BinlogPlace | undefined;
  end: BinlogPlace | undefined;

  readonly #options: SnapshotOptions;
  readonly #control: ServerConnection;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  readonly #queue: ChunkQueue;
  readonly #views: SnapshotViews;
  readonly #tables = new Map<string, SnapshotTable>();
  /** To be read anew, by name: whatever is known of them. */
  readonly #changed = new Map<string, { readonly table: TableId }>();
  /** A snapshot that is not yet announced. */
  #isNew: boolean;
  readonly #stored: StoredSnapshot | undefined;
  #newest: BinlogPlace | undefined;
  #running: Promise<void> | undefined;
  /** The last table with rows, as of the first view; its last row is the last of the snapshot. */
  #lastTable: string | undefined;
  readonly #sourceOf = (table: TableId): string | undefined => this.#options.selection?.source(table);
  /** Readers that are in a part, and those of them that wait for the others. */
  #busy = 0;
  #waiting = 0;

  constructor(options: SnapshotOptions, control: ServerConnection) {
    this.#options = options;
    this.#control = control;
    this.#stored = readSnapshotState(options.connector, options.state);
    this.#isNew = this.#stored === undefined;
    this.id = this.#stored?.snapshot ?? `${new Date().toISOString()}-${randomBytes(4).toString('hex')}`;
    this.initial = this.#stored?.initial ?? options.initial;
    this.#log = (options.log ?? silentLogger).child({ snapshot: this.id });
    this.#views = createSnapshotViews({ options, control, log: this.#log });
    this.#queue = createChunkQueue(2 * options.threads, options.chunkBytes ?? defaultChunkBytes);
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#stored !== undefined) await this.#restore(this.#stored.tables, signal);
    this.#running = this.#run(this.#abort.signal).catch((error: unknown) => this.#queue.fail(error));
  }

  get tables(): readonly TableSchema[] {
    return [...this.#tables.values()].map(({ schema }) => schema);
  }

  next(signal: AbortSignal): Promise<SnapshotStep> {
    return this.#queue.next(signal);
  }

  tableChanged(table: TableId): void {
    const name = tableName(table);
    this.#changed.set(name, { table });
    this.end = undefined;
    const known = this.#tables.get(name);
    // What was read of it is void from now on.
    if (known !== undefined) this.filter.set(createSnapshotTable(known.schema, [], known));
    this.#queue.wake();
  }

  progress(): readonly TableProgress[] {
    return [...this.#tables.values()].map((table) => ({
      table: table.name,
      rows: rowsOf(table),
      estimatedRows: table.estimate,
      done: isDone(table) && !this.#changed.has(table.name),
    }));
  }

  finish(): readonly StateRecord[] {
    this.filter.clear();
    this.hold = undefined;
    const { connector } = this.#options;
    return [headerRecord(connector, null), ...[...this.#tables.values()].flatMap((table) => removalRecords(connector, table))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new MillraceError('ABORTED', 'the snapshot was closed'));
    await this.#running;
    await this.#views[Symbol.asyncDispose]();
    await this.#control[Symbol.asyncDispose]();
  }

  async #restore(stored: readonly StoredTable[], signal: AbortSignal): Promise<void> {
    const schemas = new Map((await this.#options.readTables(this.#control, stored, signal)).map((schema) => [tableName(schema), schema]));
    for (const table of stored) {
      const schema = schemas.get(table.name);
      const restored = schema === undefined ? undefined : restoreTable(table, schema, this.#options.selection?.source(schema));
      if (restored !== undefined) {
        this.#set(restored);
        for (const part of restored.parts) for (const { place } of part.segments) this.#seen(place);
        continue;
      }
      // Its parts are needed for the removal of their records.
      const parts = {
        name: table.name,
        schema: schema ?? createTableSchema({ ...table, columns: [], primaryKey: [] }),
        order: undefined,
        parts: table.parts,
        estimate: 0,
      };
      this.#tables.set(table.name, parts);
      this.filter.set({ ...parts, parts: [] });
      this.#changed.set(table.name, { table });
    }
  }

  #set(table: SnapshotTable): void {
    this.#tables.set(table.name, table);
    this.filter.set(table);
  }

  #seen(place: BinlogPlace): void {
    if (this.#newest === undefined || comparePositions(place, this.#newest) > 0) this.#newest = { file: place.file, pos: place.pos };
  }

  async #run(signal: AbortSignal): Promise<void> {
    if (this.#isNew) await this.#plan(signal);
    for (;;) {
      await this.#restartTables(signal);
      if (this.#isNew || this.#unread().length > 0) await this.#round(signal);
      else if (this.#changed.size === 0) {
        if (this.#newest === undefined) this.#seen(await readServerPosition(this.#control, signal));
        this.#queue.push(() => this.#endStep());
        await this.#queue.woken(() => this.#changed.size > 0, signal);
      }
    }
  }

  async #plan(signal: AbortSignal): Promise<void> {
    const { readTables, tables, chunkRows, threads } = this.#options;
    const schemas = await readTables(this.#control, tables, signal);
    this.#tables.clear();
    this.filter.clear();
    const planned = await planTables(
      schemas,
      { connection: this.#control, chunkRows, threads, log: this.#log, sourceOf: this.#sourceOf },
      signal,
    );
    for (const table of inSelectionOrder(planned, this.#options.selection)) this.#set(table);
  }

  /** Makes new plans of the tables that have to be read anew; those that are gone leave. */
  async #restartTables(signal: AbortSignal): Promise<void> {
    if (this.#changed.size === 0) return;
    const changed = [...this.#changed];
    const { readTables, connector, chunkRows, threads } = this.#options;
    const schemas = await readTables(
      this.#control,
      changed.map(([, { table }]) => table),
      signal,
    );
    const planned = await planTables(
      schemas,
      { connection: this.#control, chunkRows, threads, log: this.#log, sourceOf: this.#sourceOf },
      signal,
    );
    for (const [name, change] of changed) {
      // It may have changed once more meanwhile.
      if (this.#changed.get(name) === change) this.#changed.delete(name);
      const earlier = this.#tables.get(name);
      const table = planned.find((candidate) => candidate.name === name);
      this.#log.info({ table: name, gone: table === undefined }, 'a table of the snapshot is read anew');
      if (table !== undefined) {
        this.#set(table);
        if (!this.#isNew) {
          this.#queue.push(() => ({ kind: 'tableRestart', table: table.schema, state: tableRecords(connector, table, earlier) }));
        }
      } else if (earlier !== undefined) {
        this.#tables.delete(name);
        this.filter.setGone(earlier);
        // Its DROP or RENAME is in the binlog by now.
        this.#seen(await readServerPosition(this.#control, signal));
        if (!this.#isNew) {
          this.#queue.push(() => ({ kind: 'tableDropped', table: change.table, state: removalRecords(connector, earlier) }));
        }
      }
    }
  }

  /** Unread tables, as many as a round takes on; those that only one worker can read first, so that none of them is the last one read. */
  #unread(): SnapshotTable[] {
    const unread = [...this.#tables.values()].filter((table) => !isDone(table) && !this.#changed.has(table.name));
    if (this.#options.threads === 1) return unread.slice(0, roundTables);
    const rank = ({ name, order }: SnapshotTable): number => (name === this.#lastTable ? 2 : order === undefined ? 0 : 1);
    return unread.sort((a, b) => rank(a) - rank(b)).slice(0, roundTables);
  }

  /** Opens views, and reads in them until all is read, a table has to be read anew, or the stream has waited enough. */
  async #round(signal: AbortSignal): Promise<void> {
    const { connections, positions, roundMs } = await this.#views.open((place) => {
      this.hold = place;
    }, signal);
    const tables = this.#unread();
    await this.#checkDefinitions(this.#isNew ? [...this.#tables.values()] : tables, signal);
    if (this.#isNew) {
      if (this.#changed.size > 0) {
        this.#changed.clear();
        await this.#plan(signal);
        return;
      }
      this.#begin(oldestOf(positions));
    }
    this.#lastTable ??= await findLastTable(connections[0], [...this.#tables.values()], signal);
    const work = this.#unread().flatMap((table) => table.parts.flatMap((part) => (part.done ? [] : [{ table, part }])));
    const deadline = Date.now() + roundMs;
    const done = new AbortController();
    const roundSignal = AbortSignal.any([signal, done.signal]);
    try {
      await Promise.all(
        connections.map(async (connection, i) => {
          await markLocks(connection, roundSignal);
          await this.#readParts({ connection, position: positions[i] ?? oldestOf(positions), deadline }, work, roundSignal);
          // An open view holds back purge and, by its metadata locks, DDL.
          await connection.query('ROLLBACK', roundSignal);
        }),
      );
    } catch (error) {
      done.abort(error);
      throw error;
    }
    await this.#queue.drained(signal);
    this.hold = undefined;
  }

  /** A view is only good for tables whose definition is the one that was planned with. */
  async #checkDefinitions(tables: readonly SnapshotTable[], signal: AbortSignal): Promise<void> {
    const ids = this.#isNew && this.#options.tables === undefined ? undefined : tables.map(({ schema }) => schema);
    const now = new Map((await this.#options.readTables(this.#control, ids, signal)).map((schema) => [tableName(schema), schema]));
    for (const { name, schema } of tables) if (now.get(name)?.fingerprint !== schema.fingerprint) this.tableChanged(schema);
    if (this.#isNew) for (const [name, schema] of now) if (!this.#tables.has(name)) this.tableChanged(schema);
  }

  #begin(position: SourcePosition): void {
    this.#isNew = false;
    this.#seen(position);
    const { connector, tables: asked } = this.#options;
    const tables = [...this.#tables.values()];
    const state = [
      headerRecord(connector, { snapshot: this.id, initial: this.initial }),
      ...tables.flatMap((table) => tableRecords(connector, table)),
    ];
    this.#queue.push(() => ({ kind: 'begin', tables: tables.map(({ schema }) => schema), whole: asked === undefined, position, state }));
  }

  async #readParts(round: Round, work: Work[], signal: AbortSignal): Promise<void> {
    for (let next = work.shift(); next !== undefined; next = work.shift()) {
      // A table that nobody can cut is read whole once it was begun.
      if (Date.now() > round.deadline) return;
      if (this.#changed.has(next.table.name)) continue;
      this.#busy++;
      try {
        await this.#readPart(next, round, signal);
      } catch (error) {
        if (!isTableError(error)) throw error;
        this.#log.info({ table: next.table.name, error: messageOf(error) }, 'a table changed while it was read');
        this.tableChanged(next.table.schema);
      } finally {
        this.#busy--;
        this.#queue.wake();
      }
    }
  }

  async #readPart({ table, part }: Work, { connection, position, deadline }: Round, signal: AbortSignal): Promise<void> {
    const { chunkRows, chunkBytes = defaultChunkBytes } = this.#options;
    const reader = createPartReader({ connection, table, part, chunkRows, chunkBytes });
    for (;;) {
      if (this.#changed.has(table.name) || (table.order !== undefined && Date.now() > deadline)) {
        await reader.drain(signal);
        return;
      }
      const builder = await this.#queue.acquire(table.schema, signal);
      let chunk: ChunkEnd;
      try {
        chunk = await reader.readChunk(builder, signal);
      } catch (error) {
        this.#queue.release(builder);
        throw error;
      }
      const { to, done } = chunk;
      const readMicros = Date.now() * 1000;
      if (done && table.name === this.#lastTable) await this.#othersDone(signal);
      if (builder.count === 0 && !done) this.#queue.release(builder);
      else {
        this.#queue.push(() => this.#chunkStep({ table, part, to, done, position, readMicros, batch: builder.view() }), builder);
      }
      if (done) return;
    }
  }

  /** Until no other reader is in a part: the chunk may be the last of the snapshot. */
  async #othersDone(signal: AbortSignal): Promise<void> {
    this.#waiting++;
    this.#queue.wake();
    try {
      await this.#queue.woken(() => this.#busy === this.#waiting, signal);
    } finally {
      this.#waiting--;
    }
  }

  #chunkStep({ table, part, to, done, position, readMicros, batch }: ReadChunk): SnapshotStep | undefined {
    // The table was begun anew since, which voids this chunk.
    if (this.#tables.get(table.name) !== table || this.#changed.has(table.name)) return undefined;
    const first = rowsOf(table) > 0 ? undefined : this.#tables.keys().next().value === table.name ? 'snapshot' : 'table';
    const writesPart = table.order !== undefined || done || !part.begun;
    applyChunk({ table, part, to, done, place: { file: position.file, pos: position.pos }, rows: batch.count });
    this.filter.changed(table.name);
    this.#seen(position);
    const isLast = [...this.#tables.values()].every(isDone) || (this.#options.threads === 1 && table.name === this.#lastTable);
    const last = !isDone(table) ? undefined : isLast ? 'snapshot' : 'table';
    return {
      kind: 'chunk',
      batch,
      position,
      readMicros,
      ...(first === undefined ? {} : { first }),
      ...(last === undefined ? {} : { last }),
      state: writesPart ? [partRecord(this.#options.connector, table, part)] : [],
    };
  }

  #endStep(): SnapshotStep | undefined {
    if (this.#changed.size > 0 || this.#newest === undefined) return undefined;
    this.end = this.#newest;
    return { kind: 'end', place: this.#newest, state: [] };
  }
}
