import type { StreamStart } from './dump.ts';
import type { BinlogEvent, QueryEvent } from './events.ts';

/**
 * Follows a stream's events and knows from where it can be read again without losing or repeating a transaction: the
 * place behind the last complete one. A GTID stream resumes by GTID, one that began at a file's position by position.
 *
 *   GTID … XID                       a transaction, also with QUERY COMMIT or ROLLBACK, or XA_PREPARE, at its end
 *   GTID QUERY(standalone)           DDL, XA COMMIT, XA ROLLBACK
 *   anything else                    moves the position only
 */
export class TransactionTracker {
  readonly #start: StreamStart;
  #file: string;
  #position: number;
  #inTransaction = false;
  #source = '';
  #gno = 0;
  #domain = -1;
  #server = 0;

  /** Takes a copy of the GTID set of `start`. */
  constructor(start: StreamStart) {
    this.#start =
      'gtids' in start ? { gtids: start.gtids.clone() } : 'mariadbGtids' in start ? { mariadbGtids: start.mariadbGtids.clone() } : start;
    this.#file = 'position' in start ? start.position.file : '';
    this.#position = 'position' in start ? start.position.position : 4;
  }

  /** Whether a transaction has begun and not ended. */
  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** Where to begin again. */
  get resume(): StreamStart {
    return 'position' in this.#start ? { position: { file: this.#file, position: this.#position } } : this.#start;
  }

  /** Follows one event; true if a transaction is complete with it. */
  take(event: BinlogEvent): boolean {
    switch (event.type) {
      case 'GTID':
        this.#inTransaction = true;
        this.#source = event.source;
        this.#gno = event.gno;
        return false;
      case 'MARIADB_GTID':
        this.#inTransaction = true;
        this.#domain = event.domain;
        this.#server = event.serverId;
        this.#gno = event.sequence;
        return false;
      case 'XID':
      case 'XA_PREPARE':
        this.#end(event.file, event.nextPosition);
        return true;
      case 'QUERY':
        if (!endsTransaction(event)) return false;
        this.#end(event.file, event.nextPosition);
        return true;
      case 'FORMAT_DESCRIPTION':
      case 'RECONNECTED':
        // A new file: what the file before left open, a crash of the server has rolled back.
        this.#inTransaction = false;
        this.#forgetGtid();
        break;
      default:
    }
    if (!this.#inTransaction) {
      this.#file = event.file;
      this.#position = event.nextPosition;
    }
    return false;
  }

  #end(file: string, position: number): void {
    this.#inTransaction = false;
    this.#file = file;
    this.#position = position;
    const start = this.#start;
    if ('gtids' in start) {
      if (this.#source !== '') start.gtids.add(this.#source, this.#gno);
    } else if ('mariadbGtids' in start && this.#domain >= 0) {
      start.mariadbGtids.add({ domain: this.#domain, server: this.#server, sequence: this.#gno });
    }
    this.#forgetGtid();
  }

  #forgetGtid(): void {
    this.#source = '';
    this.#domain = -1;
  }
}

/** Whether the statement ends the transaction that it is in; savepoints do not. */
export function endsTransaction({ sql, standalone }: QueryEvent): boolean {
  if (standalone || sql === 'COMMIT' || sql === 'ROLLBACK') return true;
  if (sql === 'BEGIN') return false;
  return /^\s*(?:COMMIT\b|ROLLBACK\b(?!\s+(?:WORK\s+)?TO\b))/i.test(sql);
}
