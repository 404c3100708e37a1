import { MillraceError } from '../../base/errors.ts';
import type { SourceBatch, StateRecord } from '../../connect/tasks.ts';
import { encodeGroup, numberGroup } from '../group-codec.ts';
import type { EncodedGroup } from '../group-codec.ts';
import { offsetKey, offsetTopic } from '../offset-records.ts';
import type { RecordRules } from '../record-count.ts';
import type { CompactedTopics } from './compacted-topics.ts';
import { numberOf } from './database.ts';
import type { LogDatabase, Statement } from './database.ts';
import { groupId } from './group-id.ts';
import type { SourceTable } from './group-id.ts';
import type { SchemaStore } from './schema-store.ts';
import { TopicCounters } from './topic-counters.ts';
import type { CountedGroup } from './topic-counters.ts';

/** A group that is ready to be stored: encoded and counted, so that the transaction is short. */
export interface PreparedGroup {
  readonly batch: SourceBatch;
  readonly connector: string;
  readonly encoded: EncodedGroup;
  readonly counted: CountedGroup;
}

/** The end of a source's stream. */
interface Tail {
  readonly sourceId: number;
  readonly lastSeq: number;
  readonly totalBytes: number;
  /** It ends within a transaction. */
  readonly open: boolean;
  readonly topics: TopicCounters;
}

export interface WriterParts {
  readonly database: LogDatabase;
  readonly sources: SourceTable;
  readonly schemas: SchemaStore;
  readonly compacted: CompactedTopics;
  readonly rules: RecordRules;
}

/** Appends the groups of one source. What it remembers of the stream's end is checked in each transaction. */
export class GroupWriter {
  readonly #parts: WriterParts;
  readonly #source: string;
  readonly #insert: Statement;
  readonly #selectEnd: Statement;
  #tail: Tail;

  constructor(parts: WriterParts, source: string) {
    const { database, sources } = parts;
    this.#parts = parts;
    this.#source = source;
    this.#insert = database.prepare('INSERT INTO groups (id, appended_ms, total_bytes, open, topics, bytes) VALUES (?, ?, ?, ?, ?, ?)');
    this.#selectEnd = database.prepare('SELECT total_bytes, open FROM groups WHERE id = ?');
    this.#tail = database.write(() => {
      sources.add(source);
      return this.#loadTail();
    });
  }

  /** Whether the stream ends within a transaction: its other groups must come before a sink can commit any of it. */
  get open(): boolean {
    return this.#tail.open;
  }

  prepare(batch: SourceBatch, connector: string): PreparedGroup {
    // It holds the source's offsets.
    if (batch.state.some((record) => record.topic === offsetTopic)) {
      throw new MillraceError('INTERNAL', `State records cannot have the topic "${offsetTopic}"`);
    }
    const encoded = encodeGroup({ ...batch.group, seq: this.#tail.lastSeq + 1 });
    return { batch, connector, encoded, counted: this.#tail.topics.count(batch.group) };
  }

  /** Makes the group durable with all that belongs to it and returns its number; throws without a trace of it. */
  store(prepared: PreparedGroup): number {
    const { tail, committed } = this.#parts.database.write(() => this.#storeAfter(this.#currentTail(), prepared));
    committed();
    this.#tail = tail;
    return tail.lastSeq;
  }

  #storeAfter(tail: Tail, { batch, connector, encoded, counted }: PreparedGroup): { tail: Tail; committed: () => void } {
    const { schemas, compacted } = this.#parts;
    const { group } = batch;
    const seq = tail.lastSeq + 1;
    const isStale = tail !== this.#tail;
    if (isStale) numberGroup(encoded.bytes, seq);
    const storedSchemas = schemas.add(encoded.schemas);
    const topics = tail.topics.store(isStale ? tail.topics.count(group) : counted, seq);
    const totalBytes = tail.totalBytes + encoded.bytes.length;
    this.#insert.run(groupId(tail.sourceId, seq), Date.now(), totalBytes, group.open ? 1 : 0, topics.json, encoded.bytes);
    const key = offsetKey(connector, batch.partition ?? { server: group.source });
    const offset: StateRecord = { topic: offsetTopic, key, value: JSON.stringify(batch.offset) };
    compacted.put(connector, [offset, ...batch.state]);
    return {
      tail: { ...tail, lastSeq: seq, totalBytes, open: group.open },
      committed: () => {
        storedSchemas.committed();
        topics.committed();
      },
    };
  }

  /** The remembered tail, unless another writer of the source (a task that was restarted) has appended since. */
  #currentTail(): Tail {
    const extent = this.#parts.sources.find(this.#source);
    return extent?.last === this.#tail.lastSeq && extent.sourceId === this.#tail.sourceId ? this.#tail : this.#loadTail();
  }

  #loadTail(): Tail {
    const { database, sources, rules } = this.#parts;
    const extent = sources.find(this.#source);
    if (extent === undefined) throw new MillraceError('LOG_CORRUPT', `The log has lost the source ${this.#source}`);
    const { sourceId, last } = extent;
    const row = this.#selectEnd.get(groupId(sourceId, last));
    return {
      sourceId,
      lastSeq: last,
      totalBytes: row === undefined ? 0 : numberOf(row['total_bytes']),
      open: row?.['open'] === 1,
      topics: new TopicCounters(database, sourceId, rules),
    };
  }
}
