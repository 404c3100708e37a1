import type { CommitGroup } from '../../connect/commit-group.ts';
import type { TableId } from '../../event/table-schema.ts';
import { recordsWithoutRows, type CountOtherRecords, type CountRecords, type RecordRules } from '../record-count.ts';
import { numberOf, textOf } from './database.ts';
import type { LogDatabase, Statement } from './database.ts';

interface Counter extends TableId {
  /** 0: not stored yet. */
  id: number;
  next: number;
}

/** What a group does to the topics; nothing changes before it is stored. */
export interface CountedGroup {
  readonly entries: readonly CountedEntry[];
  /** Snapshots that began in it and have no records. */
  readonly resyncs: readonly string[];
}

interface CountedEntry extends TableId {
  readonly entry: number;
  readonly records: number;
}

/** The topics of one source: where their next record's offset is, and which snapshots have no records. */
export class TopicCounters {
  readonly #sourceId: number;
  readonly #count: CountRecords;
  readonly #topicOf: RecordRules['topicOf'];
  readonly #otherRecords: CountOtherRecords;
  readonly #counters = new Map<string, Counter>();
  readonly #resyncs = new Set<string>();
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #insertResync: Statement;

  constructor(database: LogDatabase, sourceId: number, { countRecords, topicOf, otherRecords = recordsWithoutRows }: RecordRules) {
    this.#sourceId = sourceId;
    this.#count = countRecords;
    this.#topicOf = topicOf;
    this.#otherRecords = otherRecords;
    for (const row of database.prepare('SELECT id, database, name, next FROM topics WHERE source = ?').all(sourceId)) {
      const counter = {
        id: numberOf(row['id']),
        database: textOf(row['database']),
        table: textOf(row['name']),
        next: numberOf(row['next']),
      };
      this.#counters.set(keyOf(counter), counter);
    }
    for (const row of database.prepare('SELECT snapshot FROM resyncs WHERE source = ?').all(sourceId)) {
      this.#resyncs.add(textOf(row['snapshot']));
    }
    this.#insert = database.prepare('INSERT INTO topics (source, database, name, next, last_seq) VALUES (?, ?, ?, ?, ?) RETURNING id');
    this.#update = database.prepare('UPDATE topics SET next = ?, last_seq = ? WHERE id = ?');
    this.#insertResync = database.prepare('INSERT OR IGNORE INTO resyncs VALUES (?, ?)');
  }

  /** Counts the records of the group's entries; outside of the transaction, since it looks at rows. */
  count(group: CommitGroup): CountedGroup {
    const entries: CountedEntry[] = [];
    const resyncs: string[] = [];
    for (const [index, entry] of group.entries.entries()) {
      if (entry.kind === 'snapshotBegin' && !entry.initial && entry.told !== true) resyncs.push(entry.snapshot);
      if (entry.kind !== 'changes' && entry.kind !== 'chunk' && entry.kind !== 'told') {
        for (const { topic, records } of this.#otherRecords(entry)) {
          // the source's own topic, also where its records come as they are
          if (records > 0) entries.push({ entry: index, database: '', table: topic === group.source ? '' : topic, records });
        }
        continue;
      }
      if (entry.kind === 'chunk' && (this.#resyncs.has(entry.snapshot) || resyncs.includes(entry.snapshot))) continue;
      const records = this.#count(entry);
      if (records === 0) continue;
      const topic = this.#topicOf?.(entry.batch.schema);
      const { database, table } = topic === undefined ? entry.batch.schema : { database: '', table: topic };
      entries.push({ entry: index, database, table, records });
    }
    return { entries, resyncs };
  }

  /** Stores the counts, one row per topic, and returns the group's index as JSON. `committed` must follow. */
  store(counted: CountedGroup, seq: number): { readonly json: string; committed(): void } {
    for (const snapshot of counted.resyncs) this.#insertResync.run(this.#sourceId, snapshot);
    const changed = new Map<string, Counter>();
    const places = counted.entries.map((entry) => {
      const key = keyOf(entry);
      const counter = changed.get(key) ?? { ...(this.#counters.get(key) ?? { ...entry, id: 0, next: 0 }) };
      changed.set(key, counter);
      const firstOffset = counter.next;
      counter.next += entry.records;
      return { entry, counter, firstOffset };
    });
    for (const counter of changed.values()) {
      const { database, table, next } = counter;
      if (counter.id === 0) counter.id = numberOf(this.#insert.get(this.#sourceId, database, table, next, seq)?.['id']);
      else this.#update.run(next, seq, counter.id);
    }
    const rows = places.map(({ entry, counter, firstOffset }) => [entry.entry, counter.id, firstOffset, entry.records]);
    return {
      json: JSON.stringify(rows),
      committed: () => {
        for (const [key, counter] of changed) this.#counters.set(key, counter);
        for (const snapshot of counted.resyncs) this.#resyncs.add(snapshot);
      },
    };
  }
}

function keyOf({ database, table }: TableId): string {
  return `${database}\0${table}`;
}
