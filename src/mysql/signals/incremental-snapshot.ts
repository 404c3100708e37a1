import { randomUUID } from 'node:crypto';
import { isMillraceError, messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { openConnection } from '../../binlog/connection.ts';
import type { ConnectionSettings, ServerConnection } from '../../binlog/connection.ts';
import { compileJavaRegex } from '../../config/java-regex.ts';
import type { Entry } from '../../connect/commit-group.ts';
import { ChangeBatchBuilder } from '../../event/change-batch.ts';
import type { TableId, TableSchema } from '../../event/table-schema.ts';
import { tableName } from '../../event/table-schema.ts';
import type { FindRowMask } from '../mask-rows.ts';
import { comparePositions } from '../server-position.ts';
import { prepareSession } from '../snapshot-session.ts';
import type { BinlogPlace } from '../snapshot-table.ts';
import type { SourceModels } from '../source-models.ts';
import { plainKey, readChunk, readMaximum } from './chunk-query.ts';
import type { ChunkOrder } from './chunk-query.ts';
import { chunkedTables, orderOf, withoutFirst } from './chunked-tables.ts';
import type { ChunkedTable, IncrementalState } from './incremental-state.ts';
import type { Notice, Notifications, ScanStatus } from './notifications.ts';
import type { SnapshotSignal } from './signal.ts';
import type { SignalConfig } from './signal-config.ts';
import { writeWatermark } from './watermark.ts';
import { ChangedKeys, appendRows } from './window.ts';
import { openChunkView } from './chunk-view.ts';
import type { ChunkView } from './chunk-view.ts';

export interface IncrementalOptions {
  readonly config: SignalConfig;
  readonly connection: ConnectionSettings;
  readonly models: SourceModels;
  readonly notifications: Notifications;
  readonly masks: FindRowMask | undefined;
  readonly log: Logger;
}

/** Where rows of a group go. */
export interface GroupRows {
  batch(schema: TableSchema): ChangeBatchBuilder;
  addBarrier(entry: Entry): void;
}

/** A chunk that was read, or is being read. */
interface OpenChunk {
  /** Of its rows in the signal table; undefined: none are written. */
  readonly id: string;
  readonly writes: boolean;
  /** Undefined: it is not read yet, or there was nothing left to read. */
  rows: ChangeBatchBuilder | undefined;
  /** The stream has come to the opening row: its changes count from there on. */
  isOpen: boolean;
  readonly changed: Map<string, ChangedKeys>;
  /** Without watermarks: where the stream was when it began to count changes, and the place of the view. */
  readonly from: BinlogPlace;
  position: BinlogPlace | undefined;
  /** What is so once its rows are handed out. */
  next: IncrementalState | undefined;
  isDone: boolean;
  /** Nobody wants its rows any more. */
  isStale: boolean;
}

/** So often a chunk is read again because its table is another one in the stream; then the table is left. */
const mostTries = 20;

/**
 * Debezium's incremental snapshot (DBLog): chunk by chunk in key order, beside the stream, each at a known place of it.
 *
 * With a signal table a chunk is framed by two rows there: what the stream changes between them is newer than the chunk.
 * `read.only` reads each chunk in a view whose position is known, and counts changes from before it on.
 * Source: debezium-core, AbstractIncrementalSnapshotChangeEventSource.
 */
export class IncrementalSnapshot implements AsyncDisposable {
  state: IncrementalState | undefined;
  /** It waits as long as this is set: tables are read in another way. */
  isHeld = false;
  readonly #options: IncrementalOptions;
  #chunk: OpenChunk | undefined;
  #working: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #connection: ServerConnection | undefined;
  #view: ChunkView | undefined;
  #tries = 0;
  #writes: boolean;
  readonly #abort = new AbortController();

  constructor(options: IncrementalOptions, state: IncrementalState | undefined) {
    this.#options = options;
    this.state = state;
    const { collection, readOnly } = options.config;
    this.#writes = collection !== undefined && !readOnly;
  }

  /** Tables join the running one, or begin one. */
  add(id: string, signal: SnapshotSignal, captured: readonly TableSchema[]): void {
    const { notifications, log } = this.#options;
    const tables = chunkedTables(signal, captured);
    if (tables.length === 0) {
      log.warn({ id, collections: signal.collections }, 'an incremental snapshot of no table');
      return;
    }
    if (this.state !== undefined) {
      this.state = { ...this.state, tables: [...this.state.tables, ...tables] };
      if (this.#chunk?.next !== undefined) {
        this.#chunk.next = { ...this.#chunk.next, tables: [...this.#chunk.next.tables, ...tables] };
      }
      return;
    }
    this.state = { id, tables, maximum: null, last: null, rows: 0, paused: false };
    log.info({ id, tables: tables.map(tableName) }, `Requested 'INCREMENTAL' snapshot`);
    notifications.tell({ aggregate: 'Incremental Snapshot', type: 'STARTED', id, tables });
  }

  pause(): void {
    if (this.state === undefined || this.state.paused) return;
    this.#set({ ...this.state, paused: true });
    this.#tell({ type: 'PAUSED', tables: this.state.tables });
  }

  resume(): void {
    if (this.state?.paused !== true) return;
    this.#set({ ...this.state, paused: false });
    this.#tell({ type: 'RESUMED', tables: this.state.tables });
  }

  /** All tables, or those that a pattern matches, are left; rows that are not handed out yet are not any more. */
  stop(collections: readonly string[]): void {
    const { state } = this;
    if (state === undefined) return;
    const patterns = collections.map(compileJavaRegex);
    const stays =
      collections.length === 0 ? [] : state.tables.filter((table) => !patterns.some((pattern) => pattern.test(tableName(table))));
    if (stays.length === state.tables.length) return;
    // Read again from where it is: the chunk may be of a table that is left.
    if (this.#chunk !== undefined) this.#chunk.isStale = true;
    if (stays.length === 0) {
      this.#tell({ type: 'STOPPED', tables: state.tables });
      this.state = undefined;
      return;
    }
    this.state = { ...state, tables: stays, ...(stays[0] === state.tables[0] ? {} : { maximum: null, last: null, rows: 0 }) };
  }

  /** Begins the next chunk, if there is one to read. */
  work(from: BinlogPlace): void {
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      throw error;
    }
    if (this.state === undefined || this.state.paused || this.isHeld || this.#chunk !== undefined || this.#working !== undefined) return;
    const writes = this.#writes;
    const chunk: OpenChunk = {
      id: randomUUID(),
      writes,
      rows: undefined,
      isOpen: !writes,
      changed: new Map(),
      from: { file: from.file, pos: from.pos },
      position: undefined,
      next: this.state,
      isDone: false,
      isStale: false,
    };
    this.#chunk = chunk;
    this.#working = this.#read(chunk, this.#abort.signal)
      .catch((error: unknown) => {
        this.#failure = { error };
        this.#chunk = undefined;
      })
      .finally(() => {
        this.#working = undefined;
      });
  }

  /** Settles when there may be something to do that the stream does not tell of. */
  get working(): Promise<void> | undefined {
    return this.#working;
  }

  /** Rows of the stream, from `from` on. */
  rows(batch: ChangeBatchBuilder, from: number): void {
    if (this.#chunk?.isOpen === true) this.#changedOf(batch.schema)?.add(batch, from, batch.count);
  }

  /** A statement changed tables as a whole. */
  changed(tables: readonly TableId[]): void {
    if (this.#chunk?.isOpen !== true) return;
    for (const table of tables) {
      const keys = this.#changedOf(table);
      if (keys !== undefined) keys.isVoid = true;
    }
  }

  /** The stream has come to a watermark. */
  watermark(id: string, event: number, rows: GroupRows): void {
    const chunk = this.#chunk;
    if (chunk === undefined || !chunk.writes) return;
    if (id === `${chunk.id}-open`) {
      if (chunk.isOpen) this.#close(chunk, event, rows);
      else chunk.isOpen = true;
    } else if (id === `${chunk.id}-close`) this.#close(chunk, event, rows);
  }

  /** A chunk that needs no watermark and whose place the stream has passed, between two transactions. */
  isDue(place: BinlogPlace): boolean {
    const chunk = this.#chunk;
    if (chunk === undefined || chunk.writes || !chunk.isDone) return false;
    return chunk.position === undefined || comparePositions(place, chunk.position) >= 0;
  }

  handOut(event: number, rows: GroupRows): void {
    if (this.#chunk !== undefined) this.#close(this.#chunk, event, rows);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#connection?.destroy();
    await this.#working;
    await this.#view?.[Symbol.asyncDispose]();
    await this.#connection?.[Symbol.asyncDispose]();
  }

  /** Changes of a table that is to be read; undefined: it is not. */
  #changedOf(table: TableId): ChangedKeys | undefined {
    const name = tableName(table);
    const { state } = this;
    if (this.#chunk === undefined || state?.tables.some((each) => tableName(each) === name) !== true) return undefined;
    let keys = this.#chunk.changed.get(name);
    if (keys === undefined) this.#chunk.changed.set(name, (keys = new ChangedKeys()));
    return keys;
  }

  #set(state: IncrementalState): void {
    this.state = state;
    if (this.#chunk?.next !== undefined) this.#chunk.next = { ...this.#chunk.next, paused: state.paused };
  }

  #tell(notice: Omit<Notice, 'aggregate' | 'id'>): void {
    const id = this.state?.id;
    this.#options.notifications.tell({ aggregate: 'Incremental Snapshot', ...notice, ...(id === undefined ? {} : { id }) });
  }

  /** The chunk's rows get their place in the stream, and what it reached becomes durable with them. */
  #close(chunk: OpenChunk, event: number, rows: GroupRows): void {
    this.#chunk = undefined;
    const { rows: read, next } = chunk;
    if (this.state === undefined || chunk.isStale) return;
    if (read !== undefined && !this.#append(chunk, read, { event, rows })) return;
    this.state = next;
  }

  /** False: the rows do not fit the stream where it is, and are read again. */
  #append(chunk: OpenChunk, read: ChangeBatchBuilder, { event, rows }: { readonly event: number; readonly rows: GroupRows }): boolean {
    const { models, masks, log } = this.#options;
    const { database, table, fingerprint } = read.schema;
    const schema = models.find(database, table)?.captured;
    const changed = chunk.changed.get(tableName(read.schema));
    const isOld = chunk.position !== undefined && comparePositions(chunk.position, chunk.from) < 0;
    if (schema?.fingerprint !== fingerprint || this.isHeld || isOld || changed?.isVoid === true || changed?.differs(schema) === true) {
      if (this.isHeld || ++this.#tries < mostTries || this.state === undefined) return false;
      log.warn({ table: tableName(read.schema) }, 'a table changes again and again while it is read: it is left');
      this.#scanned('UNKNOWN_SCHEMA', this.state);
      this.state = withoutFirst(this.state);
      this.#tries = 0;
      return false;
    }
    this.#tries = 0;
    const hasKey = schema.primaryKey.length > 0;
    const batch = hasKey ? rows.batch(schema) : new ChangeBatchBuilder(schema);
    const from = batch.count;
    appendRows(read, changed, { batch, event });
    masks?.(schema)?.maskTail(batch, from);
    // Which of its rows a sink has, nobody can tell without a key.
    if (!hasKey) rows.addBarrier({ kind: 'told', batch: batch.view() });
    return true;
  }

  async #read(chunk: OpenChunk, signal: AbortSignal): Promise<void> {
    const { config, models } = this.#options;
    const connection = (this.#connection ??= await this.#open(signal));
    const frame = { collection: config.collection, id: chunk.id, opened: new Date(), deletes: config.deletesWatermarks };
    if (chunk.writes) {
      if (!(await this.#canWrite(() => writeWatermark(connection, { ...frame, closes: false }, signal)))) {
        this.#chunk = undefined;
        return;
      }
      await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT', signal);
    }
    try {
      while (chunk.next !== undefined) {
        const [table] = chunk.next.tables;
        if (table === undefined) break;
        const [schema] = await models.readSchemas(connection, [table], signal);
        const status = await this.#readNext(chunk, { table, schema }, signal);
        if (status === undefined) break;
        if (chunk.next === undefined) break;
        this.#scanned(status, chunk.next);
        chunk.next = withoutFirst(chunk.next);
        if (chunk.next === undefined) {
          const id = this.state?.id;
          this.#options.notifications.tell({ aggregate: 'Incremental Snapshot', type: 'COMPLETED', ...(id === undefined ? {} : { id }) });
        }
      }
    } finally {
      if (chunk.writes && !signal.aborted) await connection.query('COMMIT', signal);
    }
    if (chunk.writes) await writeWatermark(connection, { ...frame, closes: true }, signal);
    chunk.isDone = true;
  }

  /** Reads the next rows of a table; what ended it, if there are none. */
  async #readNext(
    chunk: OpenChunk,
    { table, schema }: { readonly table: ChunkedTable; readonly schema: TableSchema | undefined },
    signal: AbortSignal,
  ): Promise<ScanStatus | undefined> {
    const { log, models } = this.#options;
    if (schema === undefined || models.find(table.database, table.table) === undefined) {
      log.warn({ table: tableName(table) }, `Schema not found for table '${tableName(table)}', known tables are those captured`);
      return 'UNKNOWN_SCHEMA';
    }
    const order = orderOf(schema, table);
    if (order === undefined) {
      log.warn(
        { table: tableName(table) },
        `Incremental snapshot for table '${tableName(table)}' skipped cause the table has no primary keys`,
      );
      return 'NO_PRIMARY_KEY';
    }
    try {
      return await this.#readRows(chunk, order, signal);
    } catch (error) {
      if (!isMillraceError(error, 'MYSQL_QUERY_FAILED')) throw error;
      log.warn({ table: tableName(table), error: messageOf(error) }, 'an incremental snapshot cannot read a table');
      return 'SQL_EXCEPTION';
    }
  }

  async #readRows(chunk: OpenChunk, order: ChunkOrder, signal: AbortSignal): Promise<ScanStatus | undefined> {
    const state = chunk.next;
    if (state === undefined) return undefined;
    const own = this.#connection;
    if (own === undefined) return undefined;
    const view = chunk.writes ? undefined : await (this.#view ??= openChunkView(this.#options.connection, this.#options.log)).begin(signal);
    const connection = view?.connection ?? own;
    const maximum = state.maximum ?? (await readMaximum(connection, order, signal));
    if (maximum === undefined) return 'EMPTY';
    const range = { after: state.last ?? undefined, maximum, rows: this.#options.config.chunkRows };
    const { rows, last } = await readChunk(connection, order, range, signal);
    await view?.end(signal);
    if (last === undefined || chunk.next === undefined) return 'SUCCEEDED';
    chunk.next = { ...chunk.next, maximum, last, rows: state.rows + rows.count };
    chunk.position = view?.position;
    chunk.rows = rows;
    this.#tell({
      type: 'IN_PROGRESS',
      current: order.schema,
      maximumKey: plainKey(maximum),
      lastKey: plainKey(last),
      tables: state.tables,
    });
    return undefined;
  }

  /** Without the right to write, chunks get their places as with `read.only`. */
  async #canWrite(write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      if (!isMillraceError(error) || error.retriable) throw error;
      this.#options.log.warn({ error: error.message }, 'the signal table cannot be written to: chunks are placed as with read.only=true');
      this.#writes = false;
      return false;
    }
  }

  #scanned(status: ScanStatus, { tables, rows }: IncrementalState): void {
    const [scanned] = tables;
    if (scanned !== undefined) this.#tell({ type: 'TABLE_SCAN_COMPLETED', scanned, rows, tables, status });
  }

  async #open(signal: AbortSignal): Promise<ServerConnection> {
    const connection = await openConnection(this.#options.connection, signal);
    await prepareSession(connection, signal);
    return connection;
  }
}
