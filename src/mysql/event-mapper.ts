import { MillraceError } from '../base/errors.ts';
import type { BinlogEvent, QueryEvent, RowsEvent, TableMap } from '../binlog/events.ts';
import type { CommitGroup, SourcePosition } from '../connect/commit-group.ts';
import type { StateRecord } from '../connect/tasks.ts';
import { op } from '../event/change-batch.ts';
import type { ChangeBatchBuilder } from '../event/change-batch.ts';
import type { SchemaChange } from '../event/schema-change.ts';
import { tableName } from '../event/table-schema.ts';
import type { TableId } from '../event/table-schema.ts';
import type { CapturedTable } from './captured.ts';
import type { Charsets } from './charset.ts';
import { GroupBuilder } from './group-builder.ts';
import type { TransactionHeader } from './group-builder.ts';
import { createGtidTracker } from './gtid-tracker.ts';
import type { GtidTracker } from './gtid-tracker.ts';
import { compileTranscoder } from './transcode-program.ts';
import type { TranscodeProgram } from './transcode-program.ts';
import { transcodeImage } from './transcode-row.ts';
import type { ImageBytes } from './transcode-row.ts';

/** What a DDL statement means for the captured tables. */
export interface StatementEffect {
  readonly changes: readonly SchemaChange[];
  readonly state: readonly StateRecord[];
  /** Captured tables whose definition or rows cannot be told from the statement. */
  readonly uncertain: readonly TableId[];
}

/** The table models of the stream, at its position. */
export interface StreamModels {
  find(database: string, table: string): CapturedTable | undefined;
  /** Applies a statement that is neither row data nor a transaction's frame. Never throws for the statement's sake. */
  apply(statement: QueryEvent): StatementEffect;
}

/** Decides about a change while chunks of a snapshot were read at other positions than the stream's. */
export interface ChangeFilter {
  /**
   * Looks at the change that `batch` has just finished, at this source position; may undo it, or make another of it.
   */
  settle(batch: ChangeBatchBuilder, position: { readonly file: string; readonly pos: number }): void;
}

export interface EventMapperOptions {
  readonly flavor: 'mysql' | 'mariadb';
  /** `topic.prefix`. */
  readonly source: string;
  readonly captures: (table: TableId) => boolean;
  readonly charsets: Charsets;
  readonly models: StreamModels;
  readonly start: StreamPosition;
  /** A group is closed at about this size. */
  readonly groupBytes: number;
}

/** Where the stream goes on: a position, and of the transaction there how many row events are done already. */
export interface StreamPosition extends SourcePosition {
  readonly eventsDone: number;
}

export interface MappedGroup {
  readonly group: CommitGroup;
  readonly position: StreamPosition;
  readonly state: readonly StateRecord[];
  readonly uncertain: readonly TableId[];
}

/** A transaction that is larger is handed on in parts. */
const openFactor = 4;

/**
 * Maps binlog events, one after another, to commit groups. Between two groups it stands at the end of a transaction, or,
 * in one that is too large, between two of its row events.
 */
export class EventMapper {
  filter: ChangeFilter | undefined;
  readonly #options: EventMapperOptions;
  readonly #builder: GroupBuilder;
  readonly #gtids: GtidTracker;
  #gtidText: string | undefined;
  /** Programs by TABLE_MAP; `undefined` inside: the table is not captured. */
  #programs = new Map<TableMap, TranscodeProgram | undefined>();
  /** The tables that the rows of the current statement name by id. */
  readonly #image: { bytes: Uint8Array; start: number; end: number; present: Uint8Array } = {
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
    present: new Uint8Array(0),
  };
  #file: string;
  /** End of the last complete transaction. */
  #pos: number;
  #header: TransactionHeader | undefined;
  #begun = false;
  #inTransaction = false;
  /** Row events of the current transaction so far, and how many of its first were handed on before a restart. */
  #rowEvents = 0;
  #skipEvents: number;
  #state: StateRecord[] = [];
  #uncertain: TableId[] = [];
  #ready = false;
  #groupFile: string;

  constructor(options: EventMapperOptions) {
    this.#options = options;
    this.#builder = new GroupBuilder(options.source);
    this.#gtids = createGtidTracker(options.flavor, options.start.gtids);
    this.#file = options.start.file;
    this.#groupFile = options.start.file;
    this.#pos = options.start.pos;
    this.#skipEvents = options.start.eventsDone;
  }

  /** Whether `finish` should be called before the next event is taken. */
  get isReady(): boolean {
    return this.#ready;
  }

  /** Whether a transaction is under way: no group can end here. */
  get isInTransaction(): boolean {
    return this.#inTransaction;
  }

  get isEmpty(): boolean {
    return this.#builder.isEmpty && this.#state.length === 0;
  }

  position(): StreamPosition {
    this.#gtidText ??= this.#gtids.toString();
    return { file: this.#file, pos: this.#pos, gtids: this.#gtidText, eventsDone: this.#inTransaction ? this.#rowEvents : 0 };
  }

  /** The group so far: views of memory that `clear` gives back. */
  finish(): MappedGroup {
    const position = this.position();
    const { file, pos, gtids } = position;
    const group = this.#builder.build({ position: { file, pos, gtids }, open: this.#inTransaction, file: this.#groupFile });
    return { group, position, state: this.#state, uncertain: this.#uncertain };
  }

  clear(): void {
    this.#builder.clear();
    this.#state = [];
    this.#uncertain = [];
    this.#ready = false;
    this.#begun = false;
    this.#groupFile = this.#file;
  }

  /** @throws SCHEMA_UNKNOWN, SCHEMA_MISMATCH, BINLOG_UNSUPPORTED, BINLOG_CORRUPT */
  take(event: BinlogEvent): void {
    switch (event.type) {
      case 'ROTATE':
        this.#rotate(event.file, event.position);
        return;
      case 'GTID':
        this.#begin({
          gtidSource: event.anonymous ? '' : event.source,
          gtidSequence: event.anonymous ? 0 : event.gno,
          committedMicros: event.originalCommitMicros ?? event.timestamp * 1_000_000,
          threadId: 0,
          serverId: event.serverId,
        });
        return;
      case 'MARIADB_GTID':
        this.#begin({
          gtidSource: `${event.domain}-${event.serverId}`,
          gtidSequence: event.sequence,
          committedMicros: event.timestamp * 1_000_000,
          threadId: 0,
          serverId: event.serverId,
        });
        return;
      case 'QUERY':
        this.#query(event);
        return;
      case 'ROWS':
        this.#rows(event);
        return;
      case 'XID':
        this.#end(event.nextPosition);
        return;
      case 'XA_PREPARE':
        throw new MillraceError('BINLOG_UNSUPPORTED', `an XA transaction was prepared at ${this.#file}:${event.nextPosition}`, {
          nextStep: 'This version does not follow XA transactions: exclude the tables that they change, or avoid XA.',
        });
      case 'INCIDENT':
        throw new MillraceError('BINLOG_CORRUPT', `the server lost events at ${this.#file}:${event.nextPosition}: ${event.message}`, {
          nextStep: 'Resync: `millrace resync`.',
        });
      case 'TABLE_MAP':
      case 'FORMAT_DESCRIPTION':
      case 'PREVIOUS_GTIDS':
      case 'GTID_LIST':
      case 'ROWS_QUERY':
      case 'HEARTBEAT':
      case 'STOP':
      case 'OTHER':
        return;
    }
  }

  #rotate(file: string, pos: number): void {
    if (this.#inTransaction && !this.#builder.isEmpty) return;
    if (file !== this.#file && !this.#builder.isEmpty) this.#ready = true;
    this.#file = file;
    this.#pos = pos;
    if (this.#builder.isEmpty) this.#groupFile = file;
  }

  #begin(header: TransactionHeader): void {
    this.#header = header;
    this.#begun = false;
    this.#inTransaction = true;
    this.#rowEvents = 0;
  }

  #end(nextPosition: number): void {
    const header = this.#header;
    if (header !== undefined) {
      this.#gtids.add(header.gtidSource, header.gtidSequence);
      if (header.gtidSource !== '') this.#gtidText = undefined;
    }
    this.#pos = nextPosition;
    this.#header = undefined;
    this.#inTransaction = false;
    this.#begun = false;
    this.#skipEvents = 0;
    if (this.#builder.byteLength >= this.#options.groupBytes) this.#ready = true;
  }

  #query(event: QueryEvent): void {
    const word = firstWord(event.sql);
    switch (word) {
      case 'BEGIN':
        if (!this.#inTransaction) this.#begin(headerWithoutGtid(event));
        if (this.#header !== undefined) this.#header = { ...this.#header, threadId: event.threadId };
        return;
      case 'COMMIT':
        this.#end(event.nextPosition);
        return;
      case 'ROLLBACK':
        if (/^\s*ROLLBACK\s+(WORK\s+)?TO\b/i.test(event.sql)) return;
        this.#end(event.nextPosition);
        return;
      case 'SAVEPOINT':
      case 'RELEASE':
        return;
      case 'XA':
        this.#xa(event);
        return;
    }
    this.#statement(event);
  }

  #xa(event: QueryEvent): void {
    // START and END frame the rows; COMMIT and ROLLBACK are transactions of their own, without rows.
    if (/^\s*XA\s+(COMMIT|ROLLBACK)\b/i.test(event.sql)) this.#end(event.nextPosition);
  }

  #statement(event: QueryEvent): void {
    const { changes, state, uncertain } = this.#options.models.apply(event);
    const wasOpen = this.#inTransaction;
    if (!wasOpen) this.#begin(headerWithoutGtid(event));
    if (changes.length > 0) {
      this.#programs.clear();
      this.#begunTransaction(event.threadId);
      const index = this.#builder.addEvent(event.nextPosition - event.size, event.timestamp);
      this.#builder.addBarrier({ kind: 'schema', database: event.database, statement: event.sql, event: index, changes });
    }
    this.#state.push(...state);
    this.#uncertain.push(...uncertain);
    if (state.length > 0) this.#programs.clear();
    // CREATE TABLE … SELECT goes on with its rows.
    const goesOn = /\bSTART\s+TRANSACTION\s*$/i.test(event.sql) || (this.#options.flavor === 'mariadb' && wasOpen && !event.standalone);
    if (!goesOn) this.#end(event.nextPosition);
    if (uncertain.length > 0) this.#ready = true;
  }

  #begunTransaction(threadId = 0): void {
    if (this.#begun) return;
    this.#begun = true;
    const header = this.#header;
    if (header === undefined) throw new MillraceError('BINLOG_CORRUPT', `rows outside of a transaction after ${this.#file}:${this.#pos}`);
    this.#builder.beginTransaction(header.threadId === 0 && threadId !== 0 ? { ...header, threadId } : header);
  }

  #rows(event: RowsEvent): void {
    const program = this.#programFor(event.table);
    this.#rowEvents++;
    if (program === undefined || this.#rowEvents <= this.#skipEvents) return;
    this.#begunTransaction();
    const { schema } = program;
    const pos = event.nextPosition - event.size;
    const index = this.#builder.addEvent(pos, event.timestamp);
    const batch = this.#builder.batch(schema);
    const { filter } = this;
    const image = this.#image;
    image.bytes = event.bytes;
    image.end = event.end;
    image.start = event.start;
    try {
      while (image.start < event.end) {
        this.#row(event, program, { batch, index, image });
        filter?.settle(batch, { file: this.#file, pos });
      }
    } catch (error) {
      throw tooShort(error, schema);
    }
    if (this.#builder.byteLength >= this.#options.groupBytes * openFactor) this.#ready = true;
  }

  #row(event: RowsEvent, program: TranscodeProgram, target: RowTarget): void {
    const { batch, index, image } = target;
    const { writer } = batch;
    switch (event.kind) {
      case 'insert':
        batch.begin(op.insert, index);
        batch.middle();
        image.present = event.presentAfter;
        image.start = transcodeImage(program, image, writer);
        break;
      case 'update':
        batch.begin(op.update, index);
        image.present = event.presentBefore;
        image.start = transcodeImage(program, image, writer);
        batch.middle();
        image.present = event.presentAfter;
        image.start = transcodeImage(program, image, writer);
        break;
      case 'delete':
        batch.begin(op.delete, index);
        image.present = event.presentBefore;
        image.start = transcodeImage(program, image, writer);
        batch.middle();
        break;
    }
    batch.end();
  }

  #programFor(table: TableMap): TranscodeProgram | undefined {
    if (this.#programs.has(table)) return this.#programs.get(table);
    const program = this.#compile(table);
    this.#programs.set(table, program);
    return program;
  }

  #compile(map: TableMap): TranscodeProgram | undefined {
    const id: TableId = { database: map.database, table: map.table };
    if (!this.#options.captures(id)) return undefined;
    const model = this.#options.models.find(map.database, map.table);
    if (model === undefined) {
      throw new MillraceError('SCHEMA_UNKNOWN', `rows of ${tableName(id)} at ${this.#file}:${this.#pos}, whose columns are not known`, {
        context: { table: tableName(id) },
        nextStep: `Run \`millrace resync ${tableName(id)}\`.`,
      });
    }
    return compileTranscoder(map, model, this.#options.charsets);
  }
}

interface RowTarget {
  readonly batch: ChangeBatchBuilder;
  readonly index: number;
  readonly image: ImageBytes;
}

function headerWithoutGtid(event: QueryEvent): TransactionHeader {
  return {
    gtidSource: '',
    gtidSequence: 0,
    committedMicros: event.timestamp * 1_000_000,
    threadId: event.threadId,
    serverId: event.serverId,
  };
}

function firstWord(sql: string): string {
  return /^\s*([A-Za-z]+)/.exec(sql.length > 64 ? sql.slice(0, 64) : sql)?.[1]?.toUpperCase() ?? '';
}

/** Reading past the end of a packet gives a RangeError of the engine: the event is damaged. */
function tooShort(error: unknown, table: TableId): unknown {
  if (!(error instanceof RangeError)) return error;
  return new MillraceError('BINLOG_CORRUPT', `a row of ${tableName(table)} ends before its values do`, { cause: error });
}
