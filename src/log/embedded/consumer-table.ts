import type { ConsumerPosition } from '../log.ts';
import { numberOf, textOf } from './database.ts';
import type { LogDatabase, Statement } from './database.ts';

const retryMs = 50;
const lastWaitMs = 5000;

/**
 * Who has committed what. Acknowledging never waits: an acknowledgement that meets another writer is written a little
 * later, and one that the power takes away is given again, since the sink's own store has the truth.
 */
export class ConsumerTable implements Disposable {
  readonly #database: LogDatabase;
  readonly #update: Statement;
  readonly #insert: Statement;
  readonly #delete: Statement;
  readonly #select: Statement;
  /** By consumer, then by source. */
  readonly #pending = new Map<string, Map<string, number>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(database: LogDatabase) {
    this.#database = database;
    this.#update = database.prepare('UPDATE consumers SET seq = ? WHERE consumer = ? AND source = ?');
    this.#insert = database.prepare('INSERT OR IGNORE INTO consumers (consumer, source, seq) VALUES (?, ?, 0)');
    this.#delete = database.prepare('DELETE FROM consumers WHERE consumer = ?');
    this.#select = database.prepare('SELECT consumer, source, seq FROM consumers ORDER BY consumer, source');
  }

  register(consumer: string, sources: readonly string[]): void {
    this.#database.write(() => {
      for (const source of sources) this.#insert.run(consumer, source);
    });
  }

  unregister(consumer: string): void {
    this.#pending.delete(consumer);
    this.#database.write(() => this.#delete.run(consumer));
  }

  acknowledge(consumer: string, source: string, seq: number): void {
    const pending = this.#pending.get(consumer) ?? new Map<string, number>();
    this.#pending.set(consumer, pending.set(source, seq));
    if (this.#timer === undefined) this.#writePending(0);
  }

  all(): readonly ConsumerPosition[] {
    return this.#select.all().map((row) => {
      const consumer = textOf(row['consumer']);
      const source = textOf(row['source']);
      return { consumer, source, seq: this.#pending.get(consumer)?.get(source) ?? numberOf(row['seq']) };
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    if (this.#pending.size > 0) this.#writePending(lastWaitMs);
    clearTimeout(this.#timer);
  }

  #writePending(waitMs: number): void {
    this.#timer = undefined;
    const written = this.#database.writeLoosely(() => {
      for (const [consumer, sources] of this.#pending) {
        for (const [source, seq] of sources) this.#update.run(seq, consumer, source);
      }
    }, waitMs);
    if (written) this.#pending.clear();
    else this.#timer = setTimeout(() => this.#writeLater(), retryMs).unref();
  }

  #writeLater(): void {
    try {
      this.#writePending(0);
    } catch {
      // a full or broken disk: the writer of the log says so; the next acknowledgement tries again
    }
  }
}
