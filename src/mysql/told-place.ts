import type { SourcePosition } from '../connect/commit-group.ts';
import type { BinlogPlace } from './snapshot-table.ts';
import type { StreamPosition } from './stream-contract.ts';

/**
 * The place of the newest record as Debezium stores it: the transaction that the record is of, by its begin, and what of it is
 * done. Of a transaction that no BEGIN frames (a statement by itself, MySQL's XA) it is the end: Debezium counts events from a
 * BEGIN on, and would leave out those of the next one.
 */
export class ToldPlace {
  /** Where the transaction that is under way begins; undefined: it has no frame. */
  #begin: SourcePosition | undefined;
  /** Of the newest record; undefined: there is none since the last time. */
  #newest: SourcePosition | undefined;
  #eventsDone = 0;
  #rowsDone = 0;
  /** A record of a transaction without a frame has come. */
  #isPending = false;

  /** A transaction begins. `gtids`: of all before it. */
  begin({ file, pos }: BinlogPlace, gtids: string): void {
    this.#begin = { file, pos, gtids };
  }

  /** There is a record of the transaction's next event, `eventsDone` of which are before it, and of so many of its rows. */
  mark(eventsDone: number, rowsDone: number): void {
    if (this.#begin === undefined) this.#isPending = true;
    else this.#set(this.#begin, eventsDone, rowsDone);
  }

  /** The transaction is over; whether its records are at its end, which is to be told with `at`. */
  end(): boolean {
    const isPending = this.#isPending;
    this.#begin = undefined;
    this.#isPending = false;
    return isPending;
  }

  /** There is a record between two transactions. */
  at(position: SourcePosition): void {
    this.#set(position, 0, 0);
  }

  /** Undefined: there was no record since the last time. */
  take(): StreamPosition | undefined {
    if (this.#newest === undefined) return undefined;
    const { file, pos, gtids } = this.#newest;
    this.#newest = undefined;
    return { file, pos, gtids, eventsDone: this.#eventsDone, rowsDone: this.#rowsDone };
  }

  #set(place: SourcePosition, eventsDone: number, rowsDone: number): void {
    this.#newest = place;
    this.#eventsDone = eventsDone;
    this.#rowsDone = rowsDone;
  }
}
