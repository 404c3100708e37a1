import { isMillraceError, MillraceError } from '../../base/errors.ts';
import type { CommitGroup } from '../../connect/commit-group.ts';
import type { OpenDdlReader } from '../../connect/ddl-reader.ts';
import { isLoadMark } from '../../connect/load-mark.ts';
import type { SerializedRecord } from '../../connect/record.ts';
import type { SinkGroup } from '../../connect/tasks.ts';
import type { SchemaChange } from '../../event/schema-change.ts';
import { tableName, type TableId, type TableSchema } from '../../event/table-schema.ts';
import { DdlFollower } from './ddl-follower.ts';
import { isDdlValue, parseDdlRecord } from './described-change.ts';
import { GroupAssembler } from './group-assembler.ts';
import { JsonReader } from './json-reader.ts';
import type { SchemasEnabled } from './record-frame.ts';
import { planOf, RowDecoder, writeEnvelope, writeFlat, writeRead, writeTombstone, type OpenRecord } from './row-decoder.ts';
import type { SourceMarker } from './source-marker.ts';
import { resolveTable } from './resolve-table.ts';
import { openPlainReader } from './table-models.ts';
import { comparePlaces, createTopicTable, naturalTopic, printTopicTable, readTopicTable, type TopicTable } from './topic-table.ts';
import type { SourceModes } from './value-form.ts';

export interface RecordDecoderOptions {
  /** `topic.prefix` of the connector that wrote the records. */
  readonly source: string;
  readonly flavor: 'mysql' | 'mariadb';
  readonly modes: SourceModes;
  /** Whether rows of a topic are wanted. */
  readonly takes: (topic: string) => boolean;
  readonly schemas: { readonly key: SchemasEnabled; readonly value: SchemasEnabled };
  /** Whether the source's lists let a table in; undefined: not told, so that a table begins with its first record. */
  readonly captures?: ((table: TableId) => boolean) | undefined;
  /** A statement has left a table in doubt. */
  readonly onDoubt?: ((table: TableId, reason: string) => void) | undefined;
  /** Column list of a table, as in CREATE TABLE, where the sink's configuration declares it. */
  readonly declared: (table: TableId) => string | undefined;
  readonly openDdlReader?: OpenDdlReader | undefined;
  /** What an earlier decoder has noted. */
  readonly notes: ReadonlyMap<string, string>;
  /** What becomes of a record that is no row, or does not fit; without it such a record ends the decoding. */
  readonly onReject?: ((rejected: RejectedRecord) => void) | undefined;
}

export interface RejectedRecord {
  readonly topic: string;
  readonly record: SerializedRecord;
  readonly error: MillraceError;
}

const tablePrefix = 'table:';
const ddlPrefix = 'ddl:';
const loadKey = 'load';

/**
 * Makes batches of the records of a source: of Debezium's envelopes, of rows that a transformation has taken out of them, and
 * of its schema changes. What it has learnt of tables goes with each group as notes, so that a decoder that is given them
 * goes on as if it were the same.
 */
export class RecordDecoder {
  readonly #options: RecordDecoderOptions;
  readonly #ddl: DdlFollower;
  readonly #rows = new RowDecoder();
  readonly #reader = new JsonReader(new Uint8Array(0));
  readonly #topics = new Map<string, TopicTable>();
  readonly #topicsOfTables = new Map<string, string>();
  readonly #dirty = new Set<TopicTable>();
  #notedLoad: string | undefined;

  constructor(options: RecordDecoderOptions) {
    const { notes, flavor } = options;
    this.#options = options;
    this.#notedLoad = notes.get(loadKey);
    const ofDdl = new Map(
      [...notes].filter(([key]) => key.startsWith(ddlPrefix)).map(([key, text]) => [key.slice(ddlPrefix.length), text]),
    );
    const reader = (options.openDdlReader ?? openPlainReader)(flavor, ofDdl);
    this.#ddl = new DdlFollower({
      source: options.source,
      reader,
      takes: options.takes,
      captures: options.captures,
      onDoubt: options.onDoubt,
      load: notes.get(loadKey),
      topic: (topic, id) => this.#topicOfTable(topic, id),
      topics: () => this.#topics.values(),
      changed: (table) => this.#note(table),
    });
    for (const [key, text] of notes) {
      if (!key.startsWith(tablePrefix)) continue;
      const [topic = '', name] = key.slice(tablePrefix.length).split('\n');
      const table = createTopicTable(topic, options.schemas);
      this.#topics.set(name === undefined ? topic : `${topic}\n${name}`, table);
      table.kind = 'rows';
      readTopicTable(table, text, (id) => reader.find(id));
      this.#ddl.reopen(table);
      if (table.id !== undefined) this.#topicsOfTables.set(tableName(table.id), table.topic);
    }
  }

  /** Whether a snapshot is read that does not show yet. */
  get isLoading(): boolean {
    return this.#ddl.hasOpenSnapshot;
  }

  /** The topic that a table's rows come from. */
  topicOf(table: TableId): string | undefined {
    return this.#topicsOfTables.get(tableName(table));
  }

  /** The group with its records of tables as batches; the same one when it has no records. @throws CONVERSION_FAILED */
  decode(group: CommitGroup): SinkGroup {
    // a group without records can be the one that a snapshot waits for
    if (!this.isLoading && !group.entries.some((entry) => entry.kind === 'records' || isLoadMark(entry))) return group;
    const assembler = new GroupAssembler(group);
    for (const entry of group.entries) {
      if (isLoadMark(entry)) {
        if (entry.kind === 'snapshotBegin') this.#ddl.beginLoad(entry, assembler);
        else this.#ddl.endLoad(entry.snapshot, assembler);
        continue;
      }
      if (entry.kind !== 'records') {
        assembler.add(entry);
        continue;
      }
      if (entry.told === true) continue;
      const table = this.#topic(entry.topic);
      for (const record of entry.records) this.#takeOrReject(table, record, assembler);
    }
    this.#ddl.settle(group.position, assembler);
    return assembler.finish(this.#drainNotes());
  }

  /** The state of a topic; of one of the tables that share it. */
  #topic(topic: string, id?: TableId): TopicTable {
    const key = id === undefined ? topic : `${topic}\n${tableName(id)}`;
    const known = this.#topics.get(key);
    if (known !== undefined) return known;
    const table = createTopicTable(topic, this.#options.schemas);
    table.id = id;
    this.#topics.set(key, table);
    return table;
  }

  #topicOfTable(topic: string, id: TableId): TopicTable {
    const table = this.#topic(topic);
    const isOther = table.id !== undefined && tableName(table.id) !== tableName(id) && table.schema !== undefined;
    return isOther ? this.#topic(topic, id) : table;
  }

  #note(table: TopicTable): void {
    this.#dirty.add(table);
    if (table.id !== undefined) this.#topicsOfTables.set(tableName(table.id), table.topic);
  }

  #drainNotes(): ReadonlyMap<string, string | null> {
    const notes = new Map<string, string | null>();
    const load = this.#ddl.printLoad();
    if (load !== this.#notedLoad) notes.set(loadKey, load ?? null);
    this.#notedLoad = load;
    for (const [key, text] of this.#ddl.reader.drainNotes()) notes.set(ddlPrefix + key, text);
    for (const [key, table] of this.#topics) {
      if (this.#dirty.has(table)) notes.set(tablePrefix + key, table.schema === undefined ? null : printTopicTable(table));
    }
    this.#dirty.clear();
    return notes;
  }

  #takeOrReject(table: TopicTable, record: SerializedRecord, assembler: GroupAssembler): void {
    try {
      this.#take(table, record, assembler);
    } catch (error) {
      if (!isMillraceError(error, 'CONVERSION_FAILED')) throw error;
      const told = new MillraceError('CONVERSION_FAILED', `A record of topic ${table.topic}: ${error.message}`, {
        cause: error,
        nextStep: error.nextStep,
        context: { ...error.context, topic: table.topic },
      });
      if (this.#options.onReject === undefined) throw told;
      this.#options.onReject({ topic: table.topic, record, error: told });
    }
  }

  #take(table: TopicTable, record: SerializedRecord, assembler: GroupAssembler): void {
    const wanted = this.#options.takes(table.topic);
    table.kind ??= this.#kindOf(table, record, wanted);
    if (table.kind === 'ddl') {
      if (record.value === null) return;
      const { bytes, start, end } = table.values.frame(record.value);
      this.#ddl.take(parseDdlRecord(bytes.subarray(start, end)), record, assembler);
      return;
    }
    if (!wanted) {
      if (record.value !== null && this.#ddl.hasOpenSnapshot && isLastOfSnapshot(record.value)) this.#ddl.markAllEnded();
      return;
    }
    if (table.kind === 'other') table.kind = undefined;
    else this.#takeRow(table, record, assembler);
  }

  /** What the records of a topic are, by one of them; undefined: this one does not tell. */
  #kindOf(table: TopicTable, record: SerializedRecord, wanted: boolean): TopicTable['kind'] {
    if (record.value === null) return undefined;
    let frame;
    try {
      frame = table.values.frame(record.value);
    } catch (error) {
      if (wanted) throw error;
      return 'other';
    }
    const reader = this.#reader;
    const name = frame.schema?.name ?? '';
    if (name.endsWith('.SchemaChangeValue')) return 'ddl';
    if (/^io\.debezium\.connector\.(?:common\.|[a-z]+\.)(?:Heartbeat|TransactionMetadataValue|Notification|ServerNameKey)/.test(name)) {
      return 'other';
    }
    if (table.topic.startsWith('__debezium-heartbeat')) return 'other';
    reader.reset(frame.bytes, frame.start, frame.end);
    if (frame.schema !== undefined || reader.peek() !== 0x7b) return 'rows';
    const names = new Set<string>();
    for (let more = reader.enterObject(); more; more = reader.next()) {
      names.add(reader.name());
      reader.skip();
    }
    if (isDdlValue(names)) return 'ddl';
    if (table.topic === `${this.#options.source}.transaction` && names.has('status') && names.has('event_count')) return 'other';
    return 'rows';
  }

  #takeRow(topicTable: TopicTable, record: SerializedRecord, assembler: GroupAssembler): void {
    const open = this.#rows.open(topicTable, record);
    if (open === undefined) {
      this.#takeTombstone(topicTable, record, assembler);
      return;
    }
    const { envelope } = open;
    const marker = envelope?.marker;
    const table = marker === undefined ? topicTable : this.#tableOf(topicTable, marker);
    if (envelope?.op === 'm') return;
    const isRead = envelope?.op === 'r' && marker !== undefined && marker.snapshot !== 'false' && marker.snapshot !== 'incremental';
    if (!isRead) this.#ddl.markEnded(table);
    if (!isRead && envelope !== undefined && this.#ddl.hasOpenSnapshot) this.#ddl.endEmptySnapshots();
    if (envelope?.op === 't') {
      this.#truncate(table, open, assembler);
      return;
    }
    const schema = this.#resolve(table, open, { assembler, isRead });
    const plan = planOf(table, { schema, row: open.rowSchema, key: open.key?.schema, modes: this.#options.modes });
    if (isRead && marker !== undefined) {
      this.#takeRead(table, open, { marker, assembler });
      return;
    }
    if (marker !== undefined && schema.primaryKey.length === 0 && this.#isRepeated(table, marker)) return;
    const event = assembler.eventOf(record, marker);
    if (envelope === undefined) writeFlat({ assembler, plan, event }, open);
    else writeEnvelope({ assembler, plan, event }, open);
    topicTable.deletedKey = envelope?.op === 'd' ? (record.key ?? undefined) : undefined;
    if (table.hasRows) return;
    table.hasRows = true;
    this.#note(table);
  }

  /** Tables whose names are the same to Kafka share a topic. */
  #tableOf(topicTable: TopicTable, { database, table }: SourceMarker): TopicTable {
    const { id, topic } = topicTable;
    if (id === undefined || (id.table === table && id.database === database)) return topicTable;
    if (topicTable.definedBy !== undefined || naturalTopic(this.#options.source, { database, table }) !== topic) return topicTable;
    const other = this.#topic(topic, { database, table });
    other.kind = 'rows';
    return other;
  }

  /** The table's definition for this record; statements that bring the replica there are added. */
  #resolve(table: TopicTable, open: OpenRecord, { assembler, isRead }: { assembler: GroupAssembler; isRead: boolean }): TableSchema {
    const { source, declared } = this.#options;
    const before = table.created ? table.schema : undefined;
    // a topic whose rows have keys: one that has none, or another form of row, does not change the table
    if (before !== undefined && before.primaryKey.length > 0 && table.knowledge === 'described' && isWithoutKey(open)) return before;
    const { plan } = table;
    if (before !== undefined && plan?.fits({ schema: before, row: open.rowSchema, key: open.key?.schema }) === true) {
      if (table.knowledge !== 'guessed' || open.rowAt < 0) return before;
      const other = plan.findRow(open.value.bytes, open.rowAt, open.value.end);
      if (other === undefined && plan.guessHolds) return before;
    }
    const after = resolveTable(table, open, { source, reader: this.#ddl.reader, declared });
    if (before?.fingerprint === after.schema.fingerprint && before.database === after.schema.database) {
      table.schema = before;
      table.knowledge = after.knowledge;
      return before;
    }
    table.id = { database: after.schema.database, table: after.schema.table };
    table.knowledge = after.knowledge;
    table.definedBy = after.definedBy;
    table.schema = after.schema;
    table.created = true;
    this.#note(table);
    if (after.definedBy !== undefined) this.#ddl.dropEmpty(after.definedBy, assembler);
    const marker = open.envelope?.marker;
    if (before === undefined) {
      // rows of a snapshot are loaded aside, which makes the table
      if (isRead) return after.schema;
      const { load } = this.#ddl;
      if (load?.initial === true) this.#ddl.beginSnapshot(table, { id: load.snapshot, byStatement: false }, assembler);
      else assembler.schemaChanges([{ kind: 'createTable', after: after.schema }], assembler.barrierEvent(open.record, marker));
      return after.schema;
    }
    if (!table.hasRows) {
      // nothing is lost: the table that its definition promised is made anew
      if (table.snapshot !== undefined) this.#ddl.beginSnapshot(table, table.snapshot, assembler);
      else assembler.schemaChanges([{ kind: 'createTable', after: after.schema }], assembler.barrierEvent(open.record, marker));
      return after.schema;
    }
    const change: SchemaChange = { kind: 'alterTable', before, after: after.schema, columns: after.origins(before) };
    assembler.schemaChanges([change], assembler.barrierEvent(open.record, marker));
    return after.schema;
  }

  #takeRead(table: TopicTable, open: OpenRecord, { marker, assembler }: { marker: SourceMarker; assembler: GroupAssembler }): void {
    const { schema, plan } = table;
    if (schema === undefined || plan === undefined) return;
    const { snapshot: mark, file, pos } = marker;
    const begins = table.snapshot === undefined || (mark.startsWith('first') && table.snapshot.hasRows);
    if (begins) this.#ddl.beginSnapshot(table, { id: `${table.topic}@${file}:${pos}/${marker.micros}`, byStatement: false }, assembler);
    const { snapshot } = table;
    if (snapshot === undefined) return;
    assembler.eventOf(open.record, marker);
    writeRead(plan, assembler.chunkOf(schema, snapshot.id, { file, pos, gtids: '' }), open);
    if (!snapshot.hasRows || !table.hasRows || table.last !== undefined) {
      snapshot.hasRows = true;
      table.hasRows = true;
      table.last = undefined;
      this.#note(table);
    }
    if (file !== '' && (snapshot.reach === undefined || comparePlaces(marker, snapshot.reach) > 0)) {
      snapshot.reach = { file, pos };
      this.#note(table);
    }
    if (mark === 'last') this.#ddl.markAllEnded();
    else if (mark === 'last_in_data_collection' && !snapshot.byStatement) this.#ddl.markEnded(table);
  }

  #truncate(table: TopicTable, open: OpenRecord, assembler: GroupAssembler): void {
    const { schema } = table;
    if (schema === undefined || !table.created) return;
    const event = assembler.barrierEvent(open.record, open.envelope?.marker);
    assembler.schemaChanges([{ kind: 'truncateTable', before: schema }], event);
  }

  #takeTombstone(table: TopicTable, record: SerializedRecord, assembler: GroupAssembler): void {
    const { schema, deletedKey } = table;
    table.deletedKey = undefined;
    if (schema === undefined || !table.created || schema.primaryKey.length === 0 || record.key === null) return;
    if (deletedKey !== undefined && Buffer.compare(deletedKey, record.key) === 0) return;
    this.#ddl.markEnded(table);
    const key = table.keys.frame(record.key);
    const { modes } = this.#options;
    const plan = table.plan?.schema === schema ? table.plan : planOf(table, { schema, row: undefined, key: key.schema, modes });
    writeTombstone({ assembler, plan, event: assembler.eventOf(record, undefined) }, key);
  }

  /** Whether a row without a key has come before: streamed records of a topic follow the binlog, but for repetitions. */
  #isRepeated(table: TopicTable, { snapshot, file, pos, row }: SourceMarker): boolean {
    if (file === '' || snapshot === 'incremental') return false;
    const { last } = table;
    if (last?.file === file && this.#options.flavor === 'mysql') {
      if (pos < last.pos || (pos === last.pos && row <= last.row)) return true;
    } else if (last?.file === file && pos < last.pos) return true;
    else if (last !== undefined && fileNumber(file) < fileNumber(last.file)) return true;
    table.last = { file, pos, row };
    this.#dirty.add(table);
    return false;
  }
}

function isWithoutKey({ key }: OpenRecord): boolean {
  return key === undefined || key.bytes[key.start] === 0x6e;
}

function fileNumber(file: string): number {
  return Number(/\.(\d+)$/.exec(file)?.[1] ?? 0);
}

const lastMarker = Buffer.from('"snapshot":"last"');

function isLastOfSnapshot(value: Uint8Array): boolean {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).includes(lastMarker);
}
