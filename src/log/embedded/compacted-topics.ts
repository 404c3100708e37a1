import type { StateRecord } from '../../connect/tasks.ts';
import { textOf } from './database.ts';
import type { LogDatabase, Statement } from './database.ts';

/** Latest values by owner, topic and key. The owner is a connector, or empty: the worker. */
export class CompactedTopics {
  readonly #upsert: Statement;
  readonly #delete: Statement;
  readonly #select: Statement;
  readonly #clear: Statement;

  constructor(database: LogDatabase) {
    this.#upsert = database.prepare(`
      INSERT INTO compacted (owner, topic, key, value) VALUES (?, ?, ?, ?)
      ON CONFLICT (owner, topic, key) DO UPDATE SET value = excluded.value`);
    this.#delete = database.prepare('DELETE FROM compacted WHERE owner = ? AND topic = ? AND key = ?');
    this.#select = database.prepare('SELECT key, value FROM compacted WHERE owner = ? AND topic = ?');
    this.#clear = database.prepare('DELETE FROM compacted WHERE owner = ?');
  }

  /** Within a transaction that writes. */
  put(owner: string, records: readonly StateRecord[]): void {
    for (const { topic, key, value } of records) {
      if (value === null) this.#delete.run(owner, topic, key);
      else this.#upsert.run(owner, topic, key, value);
    }
  }

  /** Everything of the owner. Within a transaction that writes. */
  clear(owner: string): void {
    this.#clear.run(owner);
  }

  get(owner: string, topic: string): ReadonlyMap<string, string> {
    return new Map(this.#select.all(owner, topic).map((row) => [textOf(row['key']), textOf(row['value'])]));
  }
}
