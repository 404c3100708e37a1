import type { TransactionMark } from '../connect/commit-group.ts';
import type { ChangeBatch } from '../event/change-batch.ts';
import { tableName, type TableId } from '../event/table-schema.ts';

type TableCount = TransactionMark['tables'][number];

/** What an offset tells of the last transaction. */
const idMember = 'transaction_id';
const countMember = 'transaction_data_collection_order_';

/**
 * The transactions of the stream and how many records they have, in all and of each table: for the records' place in theirs,
 * and for the topic that tells of them. Source: io.debezium.pipeline.txmetadata.TransactionMonitor.
 */
export class TransactionMonitor {
  readonly #count: (batch: ChangeBatch) => number;
  #marks: TransactionMark[] = [];
  #id: string | undefined;
  #open = false;
  #total = 0;
  #tables = new Map<string, TableCount>();

  /** `count`: records of a batch, without tombstones. */
  constructor(count: (batch: ChangeBatch) => number) {
    this.#count = count;
  }

  get isEmpty(): boolean {
    return this.#marks.length === 0;
  }

  /**
   * Goes on with the transaction that a stored offset is amid, of which events are done. One that had ended is told once more, as
   * Debezium does, which reads it again: with MySQL its end, with MariaDB its begin, and an end without records.
   */
  restore(offset: Readonly<Record<string, unknown>>, flavor: 'mysql' | 'mariadb', eventsDone: number): void {
    const { [idMember]: id, ts_sec: seconds } = offset;
    if (typeof id !== 'string') return;
    this.#start(id);
    for (const [name, records] of Object.entries(offset)) {
      if (!name.startsWith(countMember) || typeof records !== 'number') continue;
      const table = name.slice(countMember.length);
      const dot = table.indexOf('.');
      this.#tables.set(table, { database: table.slice(0, dot), table: table.slice(dot + 1), records });
      this.#total += records;
    }
    if (eventsDone > 0) return;
    const micros = typeof seconds === 'number' ? seconds * 1_000_000 : 0;
    if (flavor === 'mariadb') this.begin(id, micros);
    this.end(micros);
  }

  begin(id: string, micros: number): void {
    this.#start(id);
    this.#marks.push({ status: 'BEGIN', id, micros, tables: [] });
  }

  /** Of a transaction that began. */
  end(micros: number): void {
    if (!this.#open || this.#id === undefined) return;
    this.#open = false;
    this.#marks.push({ status: 'END', id: this.#id, micros, tables: [...this.#tables.values()] });
  }

  /** The transaction is over, and nobody is told. */
  drop(): void {
    this.#open = false;
  }

  /** Adds the records of an event's rows; how many there were before, in the transaction and of the table. */
  add(batch: ChangeBatch): { readonly total: number; readonly ofTable: number } {
    return this.addRecords(batch.schema, this.#count(batch));
  }

  addRecords({ database, table }: TableId, records: number): { readonly total: number; readonly ofTable: number } {
    const name = tableName({ database, table });
    const before = { total: this.#total, ofTable: this.#tables.get(name)?.records ?? 0 };
    this.#total += records;
    if (records > 0) this.#tables.set(name, { database, table, records: before.ofTable + records });
    return before;
  }

  /** What there is to tell since the last time. */
  take(): readonly TransactionMark[] {
    const marks = this.#marks;
    this.#marks = [];
    return marks;
  }

  /** The last transaction, as an offset tells it. */
  offset(): Readonly<Record<string, unknown>> {
    if (this.#id === undefined) return {};
    const counts = [...this.#tables].map(([name, { records }]) => [countMember + name, records] as const);
    return { [idMember]: this.#id, ...Object.fromEntries(counts) };
  }

  #start(id: string): void {
    this.#id = id;
    this.#open = true;
    this.#total = 0;
    this.#tables = new Map();
  }
}
