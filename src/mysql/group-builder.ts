import { ChangeBatchBuilder } from '../event/change-batch.ts';
import type { TableSchema } from '../event/table-schema.ts';
import type { CommitGroup, Entry, SourcePosition } from '../connect/commit-group.ts';

/** One transaction, as its first event tells it. */
export interface TransactionHeader {
  /** MySQL `uuid` or `uuid:tag`, MariaDB `domain-server`; empty without GTIDs. */
  readonly gtidSource: string;
  readonly gtidSequence: number;
  readonly committedMicros: number;
  readonly threadId: number;
  readonly serverId: number;
  /** Offset of its GTID event in the file; 0 where it is not of interest. */
  readonly pos: number;
}

export interface GroupEnd {
  readonly position: SourcePosition;
  readonly open: boolean;
  readonly file: string;
}

/** What groups tell beside rows. */
export interface GroupFacts {
  /** Transactions tell where they begin. */
  readonly withPositions?: boolean;
  /** Events tell their place in their transaction: `setOrder`. */
  readonly withOrder?: boolean;
  /** Events tell their statement: `setQuery`. */
  readonly withQueries?: boolean;
  readonly run?: string | undefined;
}

/** Memory of builders beyond this is given back when a group is done. */
const keptBuilderBytes = 4 * 1024 * 1024;
const keptBuilders = 64;

/**
 * Collects whole transactions into a commit group. What `build` gives are views of the builder's memory, valid until
 * `clear`, so that a stream in steady state allocates next to nothing.
 */
export class GroupBuilder {
  readonly #source: string;
  readonly #withPositions: boolean;
  readonly #run: string | undefined;
  #order: { total: Uint32Array; ofTable: Uint32Array } | undefined;
  #queries: (string | null)[] | undefined;
  #gtidSources: string[] = [];
  #gtidSourceIndex = new Map<string, number>();
  #transactions = 0;
  #gtidSource = new Uint16Array(64);
  #gtidSequence = new Float64Array(64);
  #committedMicros = new Float64Array(64);
  #threadId = new Uint32Array(64);
  #serverId = new Uint32Array(64);
  #pos = new Float64Array(64);
  #events = 0;
  #eventTransaction = new Uint32Array(256);
  #eventPos = new Float64Array(256);
  #eventSeconds = new Uint32Array(256);
  /** Entries before the last barrier, finished. */
  #entries: Entry[] = [];
  /** Batches since the last barrier, in the order of their first change. */
  #current: ChangeBatchBuilder[] = [];
  #used = new Map<TableSchema, ChangeBatchBuilder>();
  /** Of changes that only topics take: they come before the others, since of a key no later change is one of them. */
  #told = new Map<TableSchema, ChangeBatchBuilder>();
  #pool = new Map<TableSchema, ChangeBatchBuilder>();

  constructor(source: string, { withPositions = false, withOrder = false, withQueries = false, run }: GroupFacts = {}) {
    this.#source = source;
    this.#run = run;
    this.#withPositions = withPositions;
    if (withOrder) this.#order = { total: new Uint32Array(256), ofTable: new Uint32Array(256) };
    if (withQueries) this.#queries = [];
  }

  get transactions(): number {
    return this.#transactions;
  }

  get events(): number {
    return this.#events;
  }

  get isEmpty(): boolean {
    return this.#events === 0 && this.#entries.length === 0;
  }

  /** Bytes of row images so far, about. */
  get byteLength(): number {
    let total = 0;
    for (const builder of this.#current) total += builder.byteLength;
    for (const entry of this.#entries) if (entry.kind === 'changes' || entry.kind === 'chunk') total += entry.batch.bytes.length;
    return total;
  }

  /** A transaction begins; its ordinal. */
  beginTransaction(header: TransactionHeader): number {
    const at = this.#transactions++;
    if (at === this.#gtidSource.length) this.#growTransactions();
    let source = this.#gtidSourceIndex.get(header.gtidSource);
    if (source === undefined) {
      source = this.#gtidSources.push(header.gtidSource) - 1;
      this.#gtidSourceIndex.set(header.gtidSource, source);
    }
    this.#gtidSource[at] = source;
    this.#gtidSequence[at] = header.gtidSequence;
    this.#committedMicros[at] = header.committedMicros;
    this.#threadId[at] = header.threadId;
    this.#serverId[at] = header.serverId;
    this.#pos[at] = header.pos;
    return at;
  }

  /** An event of the last begun transaction; its index. */
  addEvent(pos: number, seconds: number): number {
    const at = this.#events++;
    if (at === this.#eventPos.length) this.#growEvents();
    this.#eventTransaction[at] = this.#transactions - 1;
    this.#eventPos[at] = pos;
    this.#eventSeconds[at] = seconds;
    this.#queries?.push(null);
    return at;
  }

  /** Records of the last added event's transaction before it, and those of its table among them. */
  setOrder(total: number, ofTable: number): void {
    if (this.#order === undefined) return;
    this.#order.total[this.#events - 1] = total;
    this.#order.ofTable[this.#events - 1] = ofTable;
  }

  /** The statement of the last added event. */
  setQuery(sql: string): void {
    if (this.#queries !== undefined) this.#queries[this.#events - 1] = sql;
  }

  /** The batch that takes the next changes of a table under this schema. */
  batch(schema: TableSchema): ChangeBatchBuilder {
    const known = this.#used.get(schema);
    if (known !== undefined) return known;
    const builder = this.#pool.get(schema) ?? new ChangeBatchBuilder(schema);
    this.#pool.delete(schema);
    this.#used.set(schema, builder);
    this.#current.push(builder);
    return builder;
  }

  /** The batch that takes the next changes of a table that only topics take. */
  toldBatch(schema: TableSchema): ChangeBatchBuilder {
    const known = this.#told.get(schema);
    if (known !== undefined) return known;
    const builder = new ChangeBatchBuilder(schema);
    this.#told.set(schema, builder);
    return builder;
  }

  /** What comes from here on comes after all so far. */
  cut(): void {
    this.#finishBatches();
  }

  /** An entry that keeps its place between the changes before and after it. */
  addBarrier(entry: Entry): void {
    // The builder of a finished batch stays with it until the group is cleared.
    this.#finishBatches();
    this.#entries.push(entry);
  }

  build({ position, open, file }: GroupEnd): CommitGroup {
    const entries = [...this.#entries];
    for (const builder of this.#told.values()) if (builder.count > 0) entries.push({ kind: 'told', batch: builder.view() });
    for (const builder of this.#current) if (builder.count > 0) entries.push({ kind: 'changes', batch: builder.view() });
    const transactions = this.#transactions;
    const events = this.#events;
    return {
      source: this.#source,
      seq: 0,
      position,
      open,
      file,
      madeMicros: Date.now() * 1000,
      ...(this.#run === undefined ? {} : { run: this.#run }),
      transactions: {
        count: transactions,
        gtidSources: [...this.#gtidSources],
        gtidSource: this.#gtidSource.subarray(0, transactions),
        gtidSequence: this.#gtidSequence.subarray(0, transactions),
        committedMicros: this.#committedMicros.subarray(0, transactions),
        threadId: this.#threadId.subarray(0, transactions),
        serverId: this.#serverId.subarray(0, transactions),
        ...(this.#withPositions ? { pos: this.#pos.subarray(0, transactions) } : {}),
      },
      events: {
        count: events,
        transaction: this.#eventTransaction.subarray(0, events),
        pos: this.#eventPos.subarray(0, events),
        seconds: this.#eventSeconds.subarray(0, events),
        ...(this.#order === undefined
          ? {}
          : { order: { total: this.#order.total.subarray(0, events), ofTable: this.#order.ofTable.subarray(0, events) } }),
        ...(this.#queries?.some((query) => query !== null) === true ? { queries: [...this.#queries] } : {}),
      },
      entries,
    };
  }

  clear(): void {
    this.#transactions = 0;
    this.#events = 0;
    if (this.#queries !== undefined) this.#queries = [];
    this.#gtidSources = [];
    this.#gtidSourceIndex.clear();
    this.#entries = [];
    for (const builder of this.#current) {
      builder.clear();
      if (this.#pool.size < keptBuilders && builder.writer.bytes.length <= keptBuilderBytes) this.#pool.set(builder.schema, builder);
    }
    this.#current = [];
    this.#used.clear();
    this.#told.clear();
  }

  #finishBatches(): void {
    for (const builder of this.#told.values()) if (builder.count > 0) this.#entries.push({ kind: 'told', batch: builder.view() });
    this.#told.clear();
    for (const builder of this.#current) if (builder.count > 0) this.#entries.push({ kind: 'changes', batch: builder.view() });
    this.#current = [];
    this.#used.clear();
  }

  #growTransactions(): void {
    const capacity = this.#gtidSource.length * 2;
    this.#gtidSource = grown(this.#gtidSource, new Uint16Array(capacity));
    this.#gtidSequence = grown(this.#gtidSequence, new Float64Array(capacity));
    this.#committedMicros = grown(this.#committedMicros, new Float64Array(capacity));
    this.#threadId = grown(this.#threadId, new Uint32Array(capacity));
    this.#serverId = grown(this.#serverId, new Uint32Array(capacity));
    this.#pos = grown(this.#pos, new Float64Array(capacity));
  }

  #growEvents(): void {
    const capacity = this.#eventPos.length * 2;
    this.#eventTransaction = grown(this.#eventTransaction, new Uint32Array(capacity));
    this.#eventPos = grown(this.#eventPos, new Float64Array(capacity));
    if (this.#order !== undefined) {
      const { total, ofTable } = this.#order;
      this.#order = { total: grown(total, new Uint32Array(capacity)), ofTable: grown(ofTable, new Uint32Array(capacity)) };
    }
    this.#eventSeconds = grown(this.#eventSeconds, new Uint32Array(capacity));
  }
}

function grown<T extends { set(source: T): void }>(source: T, target: T): T {
  target.set(source);
  return target;
}
