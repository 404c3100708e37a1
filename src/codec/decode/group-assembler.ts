import type { CommitGroup, Entry, EventTable, SourcePosition, TransactionTable } from '../../connect/commit-group.ts';
import type { SerializedRecord } from '../../connect/record.ts';
import type { SinkGroup } from '../../connect/tasks.ts';
import { ChangeBatchBuilder } from '../../event/change-batch.ts';
import type { SchemaChange } from '../../event/schema-change.ts';
import { tableName, type TableId, type TableSchema } from '../../event/table-schema.ts';
import type { SourceMarker } from './source-marker.ts';

interface OpenChunk {
  readonly snapshot: string;
  readonly position: SourcePosition;
  readonly builder: ChangeBatchBuilder;
}

/**
 * Puts together a group in which rows are batches. Records keep the transactions that the group has them in; records of none
 * are made transactions of, one for the rows between two entries that are no rows: those are applied on their own.
 */
export class GroupAssembler {
  readonly #group: CommitGroup;
  readonly #entries: Entry[] = [];
  readonly #changes = new Map<string, ChangeBatchBuilder>();
  readonly #chunks = new Map<string, OpenChunk>();
  /** The group's own transactions are kept. */
  readonly #keeps: boolean;
  readonly #firstEvent: Int32Array;
  readonly #added: { readonly transaction: number; readonly pos: number; readonly seconds: number }[] = [];
  readonly #made: { micros: number }[] = [];
  #open = false;
  #lastTransaction = 0;

  constructor(group: CommitGroup) {
    const { transactions, events } = group;
    this.#group = group;
    this.#keeps = transactions.count > 0;
    this.#firstEvent = new Int32Array(transactions.count).fill(-1);
    for (let event = events.count - 1; event >= 0; event--) this.#firstEvent[events.transaction[event] ?? 0] = event;
  }

  /** The event of a change that this record is of. */
  eventOf(record: SerializedRecord, marker: SourceMarker | undefined): number {
    if (this.#keeps) {
      const transaction = record.transaction ?? this.#lastTransaction;
      this.#lastTransaction = transaction;
      const known = this.#firstEvent[transaction] ?? -1;
      if (known >= 0) return known;
      this.#added.push({ transaction, pos: marker?.pos ?? 0, seconds: Math.floor((marker?.micros ?? 0) / 1e6) });
      return (this.#firstEvent[transaction] = this.#group.events.count + this.#added.length - 1);
    }
    const micros = marker === undefined || marker.micros === 0 ? (record.timestamp ?? 0) * 1000 : marker.micros;
    if (!this.#open) this.#made.push({ micros });
    this.#open = true;
    const last = this.#made.at(-1);
    if (last !== undefined) last.micros = Math.max(last.micros, micros);
    return this.#made.length - 1;
  }

  /** The batch that changes of a table go to. */
  changesOf(schema: TableSchema): ChangeBatchBuilder {
    const name = tableName(schema);
    const open = this.#changes.get(name);
    if (open?.schema === schema) return open;
    if (open !== undefined) this.#flushChanges(name, open);
    const builder = new ChangeBatchBuilder(schema);
    this.#changes.set(name, builder);
    return builder;
  }

  /** The chunk that rows of a table's snapshot go to. */
  chunkOf(schema: TableSchema, snapshot: string, position: SourcePosition): ChangeBatchBuilder {
    const name = tableName(schema);
    const open = this.#chunks.get(name);
    if (open?.builder.schema === schema && open.snapshot === snapshot) return open.builder;
    if (open !== undefined) this.#flushChunk(name, open);
    const builder = new ChangeBatchBuilder(schema);
    this.#chunks.set(name, { snapshot, position, builder });
    return builder;
  }

  schemaChanges(changes: readonly SchemaChange[], event: number, statement = ''): void {
    const [first] = changes;
    if (first === undefined) return;
    const { database } = 'after' in first ? first.after : first.before;
    this.add({ kind: 'schema', database, statement, event, changes });
  }

  beginSnapshot(snapshot: string, tables: readonly TableSchema[]): void {
    this.add({ kind: 'snapshotBegin', snapshot, tables, initial: true });
  }

  endSnapshot(snapshot: string, tables: readonly TableId[]): void {
    this.add({ kind: 'snapshotEnd', snapshot, tables });
  }

  /** An event for what is no row: of a transaction of its own where the group has none. */
  barrierEvent(record: SerializedRecord, marker: SourceMarker | undefined): number {
    this.flush();
    this.#open = false;
    const event = this.eventOf(record, marker);
    this.#open = false;
    return event;
  }

  /** Adds an entry behind all rows so far. */
  add(entry: Entry): void {
    this.flush();
    this.#entries.push(entry);
  }

  flush(): void {
    for (const [name, chunk] of this.#chunks) this.#flushChunk(name, chunk);
    for (const [name, builder] of this.#changes) this.#flushChanges(name, builder);
  }

  finish(notes: ReadonlyMap<string, string | null>): SinkGroup {
    this.flush();
    return { ...this.#group, ...this.#tables(), entries: this.#entries, ...(notes.size === 0 ? {} : { notes }) };
  }

  #tables(): { readonly transactions: TransactionTable; readonly events: EventTable } {
    const { transactions, events } = this.#group;
    if (this.#keeps) {
      if (this.#added.length === 0) return { transactions, events };
      const { count } = events;
      const all = {
        count: count + this.#added.length,
        transaction: new Uint32Array(count + this.#added.length),
        pos: new Float64Array(count + this.#added.length),
        seconds: new Uint32Array(count + this.#added.length),
      };
      all.transaction.set(events.transaction.subarray(0, count));
      all.pos.set(events.pos.subarray(0, count));
      all.seconds.set(events.seconds.subarray(0, count));
      for (const [index, { transaction, pos, seconds }] of this.#added.entries()) {
        all.transaction[count + index] = transaction;
        all.pos[count + index] = pos;
        all.seconds[count + index] = seconds;
      }
      return { transactions, events: all };
    }
    const made = this.#made;
    const count = made.length;
    return {
      transactions: {
        count,
        gtidSources: [''],
        gtidSource: new Uint16Array(count),
        gtidSequence: new Float64Array(count),
        committedMicros: Float64Array.from(made, ({ micros }) => micros),
        threadId: new Uint32Array(count),
        serverId: new Uint32Array(count),
      },
      events: {
        count,
        transaction: Uint32Array.from(made, (_, index) => index),
        pos: new Float64Array(count),
        seconds: Uint32Array.from(made, ({ micros }) => Math.floor(micros / 1e6)),
      },
    };
  }

  #flushChanges(name: string, builder: ChangeBatchBuilder): void {
    this.#changes.delete(name);
    if (builder.count > 0) this.#entries.push({ kind: 'changes', batch: { ...builder.view(), lenient: true } });
  }

  #flushChunk(name: string, { snapshot, position, builder }: OpenChunk): void {
    this.#chunks.delete(name);
    if (builder.count > 0) this.#entries.push({ kind: 'chunk', snapshot, position, batch: builder.view() });
  }
}
