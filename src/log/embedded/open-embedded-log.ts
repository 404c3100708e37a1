import { createBackoff } from '../../base/backoff.ts';
import { MillraceError } from '../../base/errors.ts';
import type { CommitGroup } from '../../connect/commit-group.ts';
import type { SourceBatch, SourceState, StateRecord } from '../../connect/tasks.ts';
import { decodeGroup } from '../group-codec.ts';
import type { AppendContext, ConsumerPosition, GroupRange, Log, LogStats, ReadRequest } from '../log.ts';
import { offsetTopic, readOffsets } from '../offset-records.ts';
import { countDebeziumRecords } from '../record-count.ts';
import type { CountRecords, RecordRules } from '../record-count.ts';
import type { GroupTopics, TopicIndex, TopicInfo } from '../topic-view.ts';
import { CompactedTopics } from './compacted-topics.ts';
import { ConsumerTable } from './consumer-table.ts';
import { bytesOf, numberOf, openLogDatabase } from './database.ts';
import type { LogDatabase, Statement } from './database.ts';
import { SourceTable, assertHeld, groupId, seqOf } from './group-id.ts';
import { GroupWriter } from './group-writer.ts';
import type { PreparedGroup } from './group-writer.ts';
import { Retention } from './retention.ts';
import type { ConsumerLag, RetentionLimits } from './retention.ts';
import { SchemaStore } from './schema-store.ts';
import { isBusy } from './sqlite-error.ts';
import { TopicReader } from './topic-reader.ts';

export interface EmbeddedLogOptions extends RetentionLimits {
  /** Made if it is not there. */
  readonly folder: string;
  /**
   * Most that the log's pages hold; the file is no larger, apart from its WAL of a few MiB. Groups that every consumer has
   * acknowledged go before an append waits, whatever their age. A transaction that has begun is never stopped, since a
   * sink commits it only whole: the log grows beyond for it.
   */
  readonly maxBytes: number;
  /** An append begins to wait for consumers; once per wait. */
  readonly onFull?: (full: LogFull) => void;
  /** Records that an entry stands for in its topic; `countDebeziumRecords` unless told. */
  readonly countRecords?: CountRecords;
  /** As of `RecordRules`. */
  readonly topicOf?: RecordRules['topicOf'];
  /** As of `RecordRules`. */
  readonly otherRecords?: RecordRules['otherRecords'];
}

export interface LogFull {
  readonly source: string;
  readonly usedBytes: number;
  readonly maxBytes: number;
  readonly lags: readonly ConsumerLag[];
}

/** The log in a SQLite file, with its topics. */
export type EmbeddedLog = Log & TopicIndex & { lags(): readonly ConsumerLag[] };

/**
 * Opens the log in a folder. Each thread opens it for itself; within a process any number may, of several processes only
 * the one that holds the folder's lock (`lockFolder`) should.
 * @throws DATA_VERSION, LOG_CORRUPT, LOG_IO, DISK_FULL
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions, signal: AbortSignal): Promise<EmbeddedLog> {
  signal.throwIfAborted();
  return new SqliteLog(openLogDatabase(options.folder), options);
}

/** Bytes of a group's row and pages beside the group itself, about. */
const groupOverheadBytes = 64 * 1024;

/** The log over an open file, which it owns. */
export class SqliteLog implements Log, TopicIndex {
  readonly id: string;
  readonly #database: LogDatabase;
  readonly #options: EmbeddedLogOptions;
  readonly #sources: SourceTable;
  readonly #schemas: SchemaStore;
  readonly #compacted: CompactedTopics;
  readonly #consumers: ConsumerTable;
  readonly #retention: Retention;
  readonly #topics: TopicReader;
  readonly #selectGroups: Statement;
  readonly #writers = new Map<string, GroupWriter>();

  constructor(database: LogDatabase, options: EmbeddedLogOptions) {
    this.id = database.id;
    this.#database = database;
    this.#options = options;
    this.#sources = new SourceTable(database);
    this.#schemas = new SchemaStore(database);
    this.#compacted = new CompactedTopics(database);
    this.#consumers = new ConsumerTable(database);
    this.#retention = new Retention(database, this.#sources);
    this.#topics = new TopicReader(database, this.#sources);
    this.#selectGroups = database.prepare('SELECT id, bytes FROM groups WHERE id BETWEEN ? AND ? ORDER BY id');
  }

  async loadSource(connector: string, signal: AbortSignal): Promise<SourceState> {
    signal.throwIfAborted();
    const offsets = readOffsets(this.#compacted.get(connector, offsetTopic));
    return { offset: offsets[0]?.offset, offsets, state: (topic) => this.#compacted.get(connector, topic) };
  }

  putSource(connector: string, records: readonly StateRecord[]): void {
    this.#database.write(() => this.#compacted.put(connector, records));
  }

  clearSource(connector: string): void {
    this.#database.write(() => this.#compacted.clear(connector));
  }

  async append(batch: SourceBatch, { connector }: AppendContext, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    const { source } = batch.group;
    let writer = this.#writers.get(source);
    if (writer === undefined) {
      const parts = { database: this.#database, sources: this.#sources, schemas: this.#schemas, compacted: this.#compacted };
      const { countRecords = countDebeziumRecords, topicOf, otherRecords } = this.#options;
      writer = new GroupWriter({ ...parts, rules: { countRecords, topicOf, otherRecords } }, source);
      this.#writers.set(source, writer);
    }
    const prepared = writer.prepare(batch, connector);
    if (!writer.open) await this.#waitForRoom(source, prepared.encoded.bytes.length, signal);
    return this.#store(writer, prepared, signal);
  }

  range(source: string): GroupRange | undefined {
    return this.#database.read(() => {
      const extent = this.#sources.find(source);
      return extent === undefined ? undefined : { first: extent.removed + 1, last: extent.last };
    });
  }

  sources(): readonly string[] {
    return this.#sources.all().map((extent) => extent.name);
  }

  read({ source, afterSeq, maxBytes }: ReadRequest): readonly CommitGroup[] {
    return this.#readBytes({ source, afterSeq, maxBytes }).map(({ seq, bytes }) => {
      const group = decodeGroup(bytes, (fingerprint) => this.#schemas.resolve(fingerprint));
      if (group.seq !== seq || group.source !== source) {
        throw new MillraceError('LOG_CORRUPT', `Group ${seq} of ${source} in ${this.#database.file} is another one`);
      }
      return group;
    });
  }

  acknowledge(consumer: string, source: string, seq: number): void {
    this.#consumers.acknowledge(consumer, source, seq);
  }

  register(consumer: string, sources: readonly string[]): void {
    this.#consumers.register(consumer, sources);
  }

  unregister(consumer: string): void {
    this.#consumers.unregister(consumer);
  }

  consumers(): readonly ConsumerPosition[] {
    return this.#consumers.all();
  }

  put(records: readonly StateRecord[]): void {
    this.#database.write(() => this.#compacted.put('', records));
  }

  get(topic: string): ReadonlyMap<string, string> {
    return this.#compacted.get('', topic);
  }

  applyRetention(): number {
    return this.#retention.applyLimits(this.#options);
  }

  stats(): LogStats {
    return this.#database.read(() => {
      const groups = this.#sources.all().reduce((sum, extent) => sum + extent.last - extent.removed, 0);
      return { bytes: this.#retention.usage().usedBytes, groups };
    });
  }

  /** What each registered consumer has still to acknowledge. */
  lags(): readonly ConsumerLag[] {
    return this.#retention.lags();
  }

  topics(): readonly TopicInfo[] {
    return this.#topics.topics();
  }

  groupTopics(request: { readonly source: string; readonly afterSeq: number; readonly maxGroups: number }): readonly GroupTopics[] {
    return this.#topics.groupTopics(request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#consumers[Symbol.dispose]();
    this.#database[Symbol.dispose]();
  }

  async #store(writer: GroupWriter, prepared: PreparedGroup, signal: AbortSignal): Promise<number> {
    const backoff = createBackoff({ firstMs: 5, maxMs: 500 });
    for (;;) {
      try {
        return writer.store(prepared);
      } catch (error) {
        if (!(error instanceof MillraceError) || !isBusy(error.cause)) throw error;
        await backoff.wait(signal);
      }
    }
  }

  /** Returns when a group of so many bytes may be added. */
  async #waitForRoom(source: string, bytes: number, signal: AbortSignal): Promise<void> {
    const { maxBytes, onFull } = this.#options;
    const needed = bytes + groupOverheadBytes;
    const backoff = createBackoff({ firstMs: 20, maxMs: 1000 });
    for (;;) {
      const excess = this.#retention.usage().usedBytes + needed - maxBytes;
      if (excess <= 0) return;
      this.#retention.makeRoom(excess);
      const { usedBytes } = this.#retention.usage();
      if (usedBytes + needed <= maxBytes) return;
      const lags = this.#retention.lags();
      // nobody is waited for: the group is larger than the limit, or what is held are not groups
      if (lags.every((lag) => lag.groups === 0)) return;
      if (backoff.attempts === 0) onFull?.({ source, usedBytes, maxBytes, lags });
      await backoff.wait(signal);
    }
  }

  /** The rows, with the transaction ended before anything is decoded. */
  #readBytes({ source, afterSeq, maxBytes }: ReadRequest): readonly { seq: number; bytes: Uint8Array }[] {
    return this.#database.read(() => {
      const extent = this.#sources.find(source);
      if (extent === undefined) return [];
      assertHeld(extent, afterSeq);
      const groups: { seq: number; bytes: Uint8Array }[] = [];
      let size = 0;
      for (const row of this.#selectGroups.each(groupId(extent.sourceId, afterSeq + 1), groupId(extent.sourceId, extent.last))) {
        const group = { seq: seqOf(numberOf(row['id'])), bytes: bytesOf(row['bytes']) };
        if (group.seq !== afterSeq + 1 + groups.length) {
          throw new MillraceError('LOG_CORRUPT', `The log has lost group ${afterSeq + 1 + groups.length} of ${source}`);
        }
        groups.push(group);
        size += group.bytes.length;
        if (size >= maxBytes) break;
      }
      return groups;
    });
  }
}
