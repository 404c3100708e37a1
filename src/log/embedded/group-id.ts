import { MillraceError } from '../../base/errors.ts';
import { numberOf } from './database.ts';
import type { LogDatabase, Statement } from './database.ts';

/* Groups have one integer key: source and number together, so that a source's groups are a range of it. */
const seqsPerSource = 2 ** 40;

export function groupId(sourceId: number, seq: number): number {
  return sourceId * seqsPerSource + seq;
}

export function seqOf(id: number): number {
  return id % seqsPerSource;
}

/** A source as it lies in the log; all of one state, if asked for in one transaction. */
export interface SourceExtent {
  readonly sourceId: number;
  readonly name: string;
  /** Every number up to this one was removed. */
  readonly removed: number;
  /** Last number ever given; `removed` when no group is held. */
  readonly last: number;
}

/** Finds sources and their extents. */
export class SourceTable {
  readonly #all: Statement;
  readonly #byName: Statement;
  readonly #last: Statement;
  readonly #insert: Statement;

  constructor(database: LogDatabase) {
    this.#all = database.prepare('SELECT id, name, removed FROM sources ORDER BY name');
    this.#byName = database.prepare('SELECT id, name, removed FROM sources WHERE name = ?');
    this.#last = database.prepare('SELECT max(id) AS id FROM groups WHERE id BETWEEN ? AND ?');
    this.#insert = database.prepare('INSERT OR IGNORE INTO sources (name) VALUES (?)');
  }

  all(): readonly SourceExtent[] {
    return this.#all.all().map((row) => this.#extent(numberOf(row['id']), String(row['name']), numberOf(row['removed'])));
  }

  find(name: string): SourceExtent | undefined {
    const row = this.#byName.get(name);
    return row === undefined ? undefined : this.#extent(numberOf(row['id']), name, numberOf(row['removed']));
  }

  /** Within a transaction that writes. */
  add(name: string): void {
    this.#insert.run(name);
  }

  #extent(sourceId: number, name: string, removed: number): SourceExtent {
    const id = this.#last.get(groupId(sourceId, 0), groupId(sourceId + 1, 0) - 1)?.['id'];
    return { sourceId, name, removed, last: typeof id === 'number' ? seqOf(id) : removed };
  }
}

/** @throws LOG_START_GONE when the group after this one was removed; LOG_IDENTITY when this one was never there */
export function assertHeld({ name, removed, last }: SourceExtent, afterSeq: number): void {
  if (afterSeq < removed) {
    throw new MillraceError('LOG_START_GONE', `Group ${afterSeq + 1} of ${name} is no longer in the log: it begins with ${removed + 1}`);
  }
  if (afterSeq > last) {
    throw new MillraceError('LOG_IDENTITY', `The log never had group ${afterSeq} of ${name}: it ends with ${last}`);
  }
}
