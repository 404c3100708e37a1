import { MillraceError } from '../base/errors.ts';
import type { BinlogEvent, EventHeader, MariadbGtidEvent, QueryEvent, RowsEvent } from '../binlog/events.ts';
import type { Entry } from '../connect/commit-group.ts';
import type { StateRecord } from '../connect/tasks.ts';
import { ChangeBatchBuilder } from '../event/change-batch.ts';
import type { TableId } from '../event/table-schema.ts';
import { GroupBuilder } from './group-builder.ts';
import type { TransactionHeader } from './group-builder.ts';
import { createGtidTracker } from './gtid-tracker.ts';
import type { GtidTracker } from './gtid-tracker.ts';
import { RowsMapper } from './rows-mapper.ts';
import type { OpenRows, StreamFilter } from './rows-mapper.ts';
import { decision } from './snapshot-filter.ts';
import type { BinlogPlace } from './snapshot-table.ts';
import { eventsLost, preparedRefused } from './stream-errors.ts';
import { firstWord, headerOfGtid, headerOfGtids, headerOfMariadbGtid, headerWithoutGtid, truncates } from './statement-facts.ts';
import type { EventMapperOptions, MappedGroup, StreamPosition, StreamWatcher } from './stream-contract.ts';
import { ToldPlace } from './told-place.ts';
import { TransactionTeller } from './transaction-teller.ts';

/** A transaction that is larger is handed on in parts. */
const openFactor = 4;

/**
 * Maps binlog events, one after another, to commit groups. Between two groups it stands at the end of a transaction, or,
 * in one that is too large, between two of its row events.
 */
export class EventMapper {
  snapshot: StreamFilter | undefined;
  watcher: StreamWatcher | undefined;
  readonly #options: EventMapperOptions;
  readonly #builder: GroupBuilder;
  readonly #gtids: GtidTracker;
  #gtidText: string | undefined;
  /** The transaction is of a server whose rows are not wanted. */
  #isLeftOut = false;
  readonly #rowsMapper: RowsMapper;
  #file: string;
  /** End of the last complete transaction. */
  #pos: number;
  #header: TransactionHeader | undefined;
  #lastHeader: TransactionHeader | undefined;
  #begun = false;
  #inTransaction = false;
  readonly #teller: TransactionTeller;
  readonly #told = new ToldPlace();
  /** The statement of the rows that come. */
  #statementText: string | undefined;
  /** Number of the last row in its event. */
  #lastRow = 0;
  /** Events of the current transaction so far, and what of its first was handed on before a restart. */
  #events = 0;
  #skipEvents: number;
  #skipRows: number;
  /** Tables of the current transaction's rows. */
  readonly #touched = new Set<TableId>();
  #state: StateRecord[] = [];
  #uncertain: TableId[] = [];
  #ready = false;
  #groupFile: string;

  constructor(options: EventMapperOptions) {
    this.#options = options;
    this.#builder = new GroupBuilder(options.source, {
      withPositions: options.flavor === 'mariadb',
      withOrder: options.monitor !== undefined,
      withQueries: options.tellsQueries === true,
      run: options.run,
    });
    this.#rowsMapper = new RowsMapper(options);
    this.#teller = new TransactionTeller(options.monitor, options.flavor);
    this.#gtids = createGtidTracker(options.flavor, options.start.gtids);
    this.#file = options.start.file;
    this.#groupFile = options.start.file;
    this.#pos = options.start.pos;
    this.#skipEvents = options.start.eventsDone;
    this.#skipRows = options.start.rowsDone ?? 0;
  }

  /** Whether `finish` should be called before the next event is taken. */
  get isReady(): boolean {
    return this.#ready;
  }

  /** Whether a transaction is under way: no group can end here. */
  get isInTransaction(): boolean {
    return this.#inTransaction;
  }

  /** The last complete one. */
  get lastTransaction(): TransactionHeader | undefined {
    return this.#lastHeader;
  }

  get isEmpty(): boolean {
    const isSilent = this.#options.monitor?.isEmpty !== false;
    return this.#builder.isEmpty && this.#state.length === 0 && this.#uncertain.length === 0 && isSilent;
  }

  position(): StreamPosition {
    this.#gtidText ??= this.#gtids.toString();
    return { file: this.#file, pos: this.#pos, gtids: this.#gtidText, eventsDone: this.#inTransaction ? this.#events : 0 };
  }

  /** An entry that the source task adds between two transactions. */
  addEntry(entry: Entry, state: readonly StateRecord[]): void {
    this.#builder.addBarrier(entry);
    if (entry.kind === 'heartbeat') this.#told.at(this.position());
    this.#state.push(...state);
    this.#ready = true;
  }

  /** Hands over the group and an event in it, the last one so far, for rows that the source task adds between two transactions. */
  addRows(add: (event: number, rows: GroupBuilder) => void): void {
    const { events } = this.#builder;
    let event = events - 1;
    if (event < 0) {
      this.#builder.beginTransaction(
        this.#lastHeader ?? headerOfGtids(this.position().gtids, { serverId: this.#options.serverId ?? 0, pos: this.#pos }),
      );
      event = this.#builder.addEvent(this.#pos, Math.floor(Date.now() / 1000));
    }
    add(event, this.#builder);
    this.#ready = true;
  }

  /** Definitions of tables were replaced. */
  forgetTables(): void {
    this.#rowsMapper.forgetTables();
  }

  /** The group so far: views of memory that `clear` gives back. */
  finish(): MappedGroup {
    const position = this.position();
    const { file, pos, gtids } = position;
    const marks = this.#options.monitor?.take() ?? [];
    if (marks.length > 0) this.#builder.addBarrier({ kind: 'transactionMarks', marks });
    const group = this.#builder.build({ position: { file, pos, gtids }, open: this.#inTransaction, file: this.#groupFile });
    return { group, position, told: this.#told.take(), state: this.#state, uncertain: this.#uncertain };
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
    this.#map(event);
    this.#teller.passed(event.timestamp);
    if (this.#inTransaction) this.#count(event);
    // What lies between two transactions is passed: the head of a file, heartbeats.
    if (!this.#inTransaction && event.file === this.#file && event.nextPosition > this.#pos) this.#pos = event.nextPosition;
  }

  /** MySQL's BEGIN is the first event of a transaction, and not the GTID before it; MariaDB's GTID event begins one. */
  #count(event: BinlogEvent): void {
    if (event.type === 'GTID' || event.type === 'ROTATE' || event.type === 'HEARTBEAT') return;
    this.#events++;
  }

  #map(event: BinlogEvent): void {
    switch (event.type) {
      case 'ROTATE':
        this.#rotate(event.file, event.position);
        return;
      case 'GTID':
        this.#begin(headerOfGtid(event));
        return;
      case 'MARIADB_GTID':
        this.#begin(headerOfMariadbGtid(event));
        this.#tellBegin(event);
        return;
      case 'QUERY':
        this.#query(event);
        return;
      case 'ROWS':
        this.#rows(event);
        return;
      case 'XID':
        this.#commit(event);
        return;
      case 'ROWS_QUERY':
        this.#statementText = event.sql;
        return;
      case 'XA_PREPARE':
        if (event.onePhase) this.#commit(event);
        else if (this.#options.keepsTables?.() === false) this.#prepared(event.nextPosition);
        else throw preparedRefused(`${this.#file}:${event.nextPosition}`);
        return;
      case 'INCIDENT':
        throw eventsLost(`${this.#file}:${event.nextPosition}`, event.message);
      case 'TABLE_MAP':
      case 'FORMAT_DESCRIPTION':
      case 'PREVIOUS_GTIDS':
      case 'GTID_LIST':
      case 'HEARTBEAT':
      case 'STOP':
      case 'OTHER':
        return;
      case 'RECONNECTED':
        // The source task opens a stream of its own at the last durable position instead.
        throw new MillraceError('BINLOG_DISCONNECTED', event.reason, { retriable: true });
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
    this.#touched.clear();
    this.#isLeftOut = this.#options.leavesOut?.(header.gtidSource) === true;
    this.#header = header;
    this.#begun = false;
    this.#inTransaction = true;
    this.#events = 0;
  }

  #commit({ timestamp, nextPosition }: EventHeader): void {
    this.#teller.end(timestamp, this.#header);
    if (this.#options.monitor !== undefined) this.#told.mark(this.#events, 0);
    this.#end(nextPosition);
  }

  #end(nextPosition: number): void {
    const header = this.#header;
    if (header !== undefined) {
      this.#gtids.add(header.gtidSource, header.gtidSequence);
      if (header.gtidSource !== '') this.#gtidText = undefined;
    }
    this.#options.monitor?.drop();
    this.#statementText = undefined;
    this.#pos = nextPosition;
    this.#lastHeader = header ?? this.#lastHeader;
    this.#header = undefined;
    this.#inTransaction = false;
    if (this.#told.end()) this.#told.at(this.position());
    this.#begun = false;
    this.#skipEvents = 0;
    this.#skipRows = 0;
    if (this.#builder.byteLength >= this.#options.groupBytes || this.#uncertain.length > 0) this.#ready = true;
  }

  /** One of which a part was handed on has begun before. */
  #tellBegin(event: MariadbGtidEvent | QueryEvent): void {
    if (!event.standalone) this.#told.begin(this.#placeInside(event), this.position().gtids);
    if (this.#header === undefined || this.#skipEvents > 0) return;
    this.#teller.begin(this.#header, this.#file);
    if (this.#options.monitor !== undefined) this.#told.mark(0, 0);
  }

  #query(event: QueryEvent): void {
    const word = firstWord(event.sql);
    switch (word) {
      case 'BEGIN':
        if (!this.#inTransaction) this.#begin(headerWithoutGtid(event));
        this.#events = 0;
        if (this.#header !== undefined) this.#header = { ...this.#header, threadId: event.threadId };
        if (this.#options.flavor === 'mysql') this.#tellBegin(event);
        return;
      case 'COMMIT':
        this.#commit(event);
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

  /**
   * Records come at the prepare, as Debezium writes them, whatever becomes of the transaction. Who keeps tables from here on
   * must read them anew.
   */
  #prepared(nextPosition: number): void {
    this.#uncertain.push(...this.#touched);
    this.#end(nextPosition);
  }

  #xa(event: QueryEvent): void {
    // START and END frame the rows; COMMIT and ROLLBACK are transactions of their own, without rows.
    if (/^\s*XA\s+(COMMIT|ROLLBACK)\b/i.test(event.sql)) this.#end(event.nextPosition);
  }

  #statement(event: QueryEvent): void {
    if (!this.#inTransaction) this.#begin(headerWithoutGtid(event));
    // A thread that BEGIN told stands in records of the statement, too, as Debezium leaves it.
    const thread = this.#header?.threadId ?? 0;
    const effect = this.#options.models.apply(event, (table) => this.#takesStatement(event, table));
    const { changes, state, uncertain, described } = effect;
    if (changes.length > 0 || described.length > 0) {
      this.#begunTransaction(event.threadId);
      const index = this.#builder.addEvent(this.#posOf(event), event.timestamp);
      const place = { kind: 'event', event: index, row: this.#lastRow, thread, gtids: this.position().gtids } as const;
      if (described.length > 0) this.#builder.addBarrier({ kind: 'ddl', records: described.map((record) => ({ ...record, place })) });
      this.#told.mark(this.#events, 0);
      const told = this.#options.tellsTruncate === true && /^\s*TRUNCATE\b/i.test(event.sql) ? truncates(event, changes, place) : [];
      this.#teller.orderTruncates(told, this.#builder);
      if (told.length > 0) this.#builder.addBarrier({ kind: 'ddl', records: told });
      if (changes.length > 0) {
        this.#builder.addBarrier({ kind: 'schema', database: event.database, statement: event.sql, event: index, changes });
      }
    }
    this.#state.push(...state);
    this.#uncertain.push(...uncertain);
    this.watcher?.changed([...changes.map((change) => (change.kind === 'createTable' ? change.after : change.before)), ...uncertain]);
    if (state.length > 0 || changes.length > 0) this.#rowsMapper.forgetTables();
    // CREATE TABLE … SELECT goes on with its rows.
    if (event.standalone && !/\bSTART\s+TRANSACTION\s*$/i.test(event.sql)) this.#end(event.nextPosition);
    if (this.#uncertain.length > 0) this.#ready = true;
  }

  /** Changes that only topics take. Once the table begins anew, they come after what was kept of it. */
  #tellDropped(dropped: ChangeBatchBuilder, { filter }: OpenRows, event: number): void {
    this.watcher?.rows(dropped, 0, { event, rows: this.#builder });
    this.#options.masks?.(dropped.schema)?.maskTail(dropped, 0);
    if (this.snapshot?.filter.table(dropped.schema) !== filter) this.#builder.cut();
    const told = this.#builder.toldBatch(dropped.schema);
    for (let i = 0; i < dropped.count; i++) told.copy(dropped, i);
  }

  /** Whether a statement changes a table's model: not one whose snapshot was read, or will be, after the statement. */
  #takesStatement(event: QueryEvent, table: TableId): boolean {
    const snapshot = this.snapshot;
    const filter = snapshot?.filter.table(table);
    if (snapshot === undefined || filter === undefined) return true;
    switch (filter.decideStatement(this.#placeInside(event))) {
      case decision.keep:
        return true;
      case decision.drop:
        return false;
      case decision.restart:
        snapshot.tableChanged(table);
        return false;
    }
  }

  /** Where the event begins; of one in a compressed transaction, which has no place of its own, where that begins. */
  #posOf(event: EventHeader): number {
    return Math.max(this.#pos, event.nextPosition - event.size);
  }

  /** A place in the event's transaction and before its end, compressed or not. */
  #placeInside(event: EventHeader): BinlogPlace {
    return { file: this.#file, pos: this.#posOf(event) };
  }

  #begunTransaction(threadId = 0): void {
    if (this.#begun) return;
    this.#begun = true;
    const header = this.#header;
    if (header === undefined) throw new MillraceError('BINLOG_CORRUPT', `rows outside of a transaction after ${this.#file}:${this.#pos}`);
    this.#builder.beginTransaction(header.threadId === 0 && threadId !== 0 ? { ...header, threadId } : header);
  }

  #rows(event: RowsEvent): void {
    if (this.#events < this.#skipEvents || this.#isLeftOut) return;
    const skip = this.#events === this.#skipEvents ? this.#skipRows : 0;
    const rows = this.#rowsMapper.open(event.table, { place: this.#placeInside(event), snapshot: this.snapshot });
    if (rows === undefined) return;
    if (rows === 'unknown') {
      this.#uncertain.push({ database: event.table.database, table: event.table.table });
      return;
    }
    this.#begunTransaction();
    this.#touched.add(rows.program.schema);
    const index = this.#builder.addEvent(this.#posOf(event), event.timestamp);
    const batch = this.#builder.batch(rows.program.schema);
    const before = batch.count;
    const tells = rows.filter !== undefined && this.snapshot?.tellsDropped === true;
    const told = tells ? new ChangeBatchBuilder(rows.program.schema) : undefined;
    this.#rowsMapper.map(event, rows, { batch, index, skip, told });
    const done = batch.count - before + skip;
    this.#lastRow = Math.max(0, done - 1);
    if (done + (told?.count ?? 0) > skip) this.#told.mark(this.#events, done + (told?.count ?? 0));
    this.watcher?.rows(batch, before, { event: index, rows: this.#builder });
    this.#options.masks?.(batch.schema)?.maskTail(batch, before);
    this.#teller.order(batch, before, this.#builder);
    if (told !== undefined && told.count > 0) this.#tellDropped(told, rows, index);
    if (this.#statementText !== undefined) this.#builder.setQuery(this.#statementText);
    if (this.#builder.byteLength >= this.#options.groupBytes * openFactor) this.#ready = true;
  }
}
