import type { ChangeBatchBuilder } from '../event/change-batch.ts';
import type { DdlRecord } from '../event/ddl-record.ts';
import type { GroupBuilder, TransactionHeader } from './group-builder.ts';
import type { TransactionMonitor } from './transaction-monitor.ts';

/** Tells the monitor of the stream's transactions, and events their place in theirs; nothing without a monitor. */
export class TransactionTeller {
  readonly #monitor: TransactionMonitor | undefined;
  readonly #flavor: 'mysql' | 'mariadb';
  /** Of the newest event before; 0: none. */
  #lastSeconds = 0;

  constructor(monitor: TransactionMonitor | undefined, flavor: 'mysql' | 'mariadb') {
    this.#monitor = monitor;
    this.#flavor = flavor;
  }

  passed(seconds: number): void {
    if (seconds > 0) this.#lastSeconds = seconds;
  }

  /** Debezium tells the commit's time, for MariaDB that of the event before. */
  begin({ gtidSource, gtidSequence, pos, committedMicros }: TransactionHeader, file: string): void {
    if (this.#monitor === undefined) return;
    const isMariadb = this.#flavor === 'mariadb';
    const id = gtidSource === '' ? `file=${file},pos=${pos}` : `${gtidSource}${isMariadb ? '-' : ':'}${gtidSequence}`;
    this.#monitor.begin(id, isMariadb ? this.#lastSeconds * 1_000_000 : committedMicros);
  }

  end(seconds: number, header: TransactionHeader | undefined): void {
    const micros = seconds * 1_000_000;
    this.#monitor?.end(this.#flavor === 'mariadb' ? micros : (header?.committedMicros ?? micros));
  }

  /** Of the event whose changes the builder has from `from` on, which the group had last. */
  order(builder: ChangeBatchBuilder, from: number, group: GroupBuilder): void {
    if (this.#monitor === undefined) return;
    const { schema, count, ops, events, starts, bytes } = builder.view();
    const added = {
      schema,
      count: count - from,
      ops: ops.subarray(from),
      events: events.subarray(from),
      starts: starts.subarray(2 * from),
      bytes,
    };
    const { total, ofTable } = this.#monitor.add(added);
    group.setOrder(total, ofTable);
  }

  /** A TRUNCATE has its place among the records of its transaction, as MariaDB's connector tells it. */
  orderTruncates(records: readonly DdlRecord[], group: GroupBuilder): void {
    if (this.#monitor === undefined) return;
    for (const { changes } of records) {
      for (const { id } of changes) {
        const { total, ofTable } = this.#monitor.addRecords(id, 1);
        group.setOrder(total, ofTable);
      }
    }
  }
}
