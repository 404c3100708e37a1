import { ByteWriter } from '../base/byte-writer.ts';
import { newestCommitMs, type CommitGroup, type Entry } from '../connect/commit-group.ts';
import { op, type ChangeBatch } from '../event/change-batch.ts';
import { locateCells } from '../event/row-image.ts';
import { schemaKey, type TableSchema } from '../event/table-schema.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { utf8, writeBytes, writeInteger } from './json-writer.ts';
import { contextHeaders, keyHeaderName, type RecordHeader } from './record-headers.ts';
import { countOther, renderOther, type OtherRecord } from './other-records.ts';
import { anyDiffers, createTable, keyDiffers, type Table } from './rendered-table.ts';
import { RowWriter } from './row-writer.ts';
import { SourceBlock, type Chunk } from './source-block.ts';

/**
 * One record of a table's topic. The object and its bytes are the renderer's: valid until `emit` returns. A null key has
 * `keyEnd` -1, a tombstone `valueEnd` -1.
 */
export interface RenderedRecord {
  readonly topic: string;
  readonly bytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** The same array for all records that have the same headers. */
  readonly headers: readonly RecordHeader[];
  /** Index in the group's `transactions` of the row's; absent: it is of none. */
  readonly transaction?: number | undefined;
  /** Of a row that the renderer wrote: key and value are JSON in one line. Any other may be anything. */
  readonly isRow?: boolean;
}

export type EmitRecord = (record: RenderedRecord) => void;

/** Renders Debezium's records of a source's commit groups, in their order. */
export interface DebeziumRenderer {
  /** The topic of a table. */
  topicOf(schema: TableSchema): string;
  /** Records that `render` gives of an entry without rows, by topic; the topic `''` is that of schema changes. */
  countOther(entry: Entry): readonly { readonly topic: string; readonly records: number }[];
  /** Renders an entry of the group; entries that hold no rows give no records. */
  render(group: CommitGroup, entry: Entry, emit: EmitRecord): void;
}

export function createDebeziumRenderer(options: DebeziumOptions): DebeziumRenderer {
  return new Renderer(options);
}

const afterLabel = utf8(',"after":');
const millisLabel = utf8('","ts_ms":');
const microsLabel = utf8(',"ts_us":');
const nanosLabel = utf8(',"ts_ns":');
const thousand = utf8('000');
const orderLabel = utf8(',"data_collection_order":');
const orderEnd = utf8('},"op":"');
const truncateLetter = 0x74;
const noHeaders: readonly RecordHeader[] = [];

const opLetters = { [op.insert]: 0x63, [op.update]: 0x75, [op.delete]: 0x64, [op.read]: 0x72 } as const;

class Renderer implements DebeziumRenderer {
  readonly #options: DebeziumOptions;
  readonly #tables = new WeakMap<TableSchema, Table>();
  /** By `schemaKey`: groups read from the log again bring equal schemas as new objects. */
  readonly #compiled = new Map<string, Table>();
  readonly #rows = new RowWriter();
  readonly #source: SourceBlock;
  #context: readonly RecordHeader[];
  #run: string | undefined;
  /** From behind `op` to the envelope's last member. */
  readonly #clock = new ByteWriter(128);
  #clockOf: object | undefined;
  #sink: EmitRecord = () => undefined;
  /** With transaction metadata: records of the transaction, and of the table in it, before the next one. */
  #total = 0;
  #ofTable = 0;
  /** Position of the row in its event. */
  #row = 0;
  /** What `emit` is given, changed in place: an object per record would be garbage per record. */
  readonly #record = {
    topic: '',
    bytes: new Uint8Array(0),
    keyStart: 0,
    keyEnd: -1,
    valueStart: 0,
    valueEnd: -1,
    headers: [] as readonly RecordHeader[],
    transaction: undefined as number | undefined,
    isRow: true,
  };

  constructor(options: DebeziumOptions) {
    this.#options = options;
    this.#source = new SourceBlock(options);
    this.#context = contextHeaders(options);
  }

  topicOf(schema: TableSchema): string {
    return this.#table(schema).template.topic;
  }

  countOther(entry: Entry): readonly { readonly topic: string; readonly records: number }[] {
    const counts = countOther(entry, this.#options);
    if (entry.kind !== 'ddl' || this.#options.skippedOperations.has('t')) return counts;
    const emptied = truncatedOf(entry);
    return emptied.length === 0 ? counts : [...counts, ...emptied.map(({ schema }) => ({ topic: this.topicOf(schema), records: 1 }))];
  }

  render(group: CommitGroup, entry: Entry, emit: EmitRecord): void {
    this.#sink = emit;
    this.#setContext(group.run);
    if (entry.kind === 'changes' || entry.kind === 'told') this.#renderChanges(group, entry.batch);
    else if (entry.kind === 'chunk') this.#renderChunk(group, entry);
    else {
      for (const record of renderOther(group, entry, this.#options)) this.#emitText(record);
      if (entry.kind === 'ddl' && !this.#options.skippedOperations.has('t')) this.#renderTruncates(group, entry);
    }
  }

  #setContext(run: string | undefined): void {
    if (run === this.#run) return;
    this.#run = run;
    this.#context = contextHeaders(run === undefined ? this.#options : { ...this.#options, runId: run });
  }

  /** Records with neither key nor rows. */
  #renderTruncates(group: CommitGroup, entry: DdlEntry): void {
    this.#setClock(group, group.madeMicros ?? newestCommitMs(group) * 1000);
    for (const { schema, event, row } of truncatedOf(entry)) {
      const table = this.#table(schema);
      this.#source.ofEvent(table.template, group, event, { thread: 0 });
      this.#record.transaction = group.events.transaction[event];
      this.#setOrder(group, event);
      this.#row = row;
      this.#rows.out.clear();
      this.#record.keyStart = 0;
      this.#record.keyEnd = -1;
      this.#setValue(table, -1, -1, truncateLetter);
      this.#emit(table, this.#context);
    }
  }

  #emitText({ topic, key, value, hasHeaders, transaction }: OtherRecord): void {
    const [keyBytes, valueBytes] = [utf8(key ?? ''), utf8(value)];
    const { out } = this.#rows;
    out.clear();
    writeBytes(out, keyBytes);
    writeBytes(out, valueBytes);
    const record = this.#record;
    record.topic = topic;
    record.bytes = out.bytes;
    record.keyStart = 0;
    record.keyEnd = key === null ? -1 : keyBytes.length;
    record.valueStart = keyBytes.length;
    record.valueEnd = out.length;
    record.headers = hasHeaders ? this.#context : noHeaders;
    record.transaction = transaction;
    record.isRow = false;
    this.#sink(record);
    record.isRow = true;
  }

  #renderChanges(group: CommitGroup, batch: ChangeBatch): void {
    const table = this.#open(batch);
    this.#setClock(group, group.madeMicros ?? newestCommitMs(group) * 1000);
    let lastEvent = -1;
    for (let change = 0; change < batch.count; change++) {
      const event = batch.events[change] ?? 0;
      if (batch.ops[change] === op.refresh) {
        this.#renderRefreshed(table, group, batch, change);
        lastEvent = -1;
        continue;
      }
      this.#row = event === lastEvent ? this.#row + 1 : 0;
      if (event !== lastEvent) {
        this.#source.ofEvent(table.template, group, event);
        this.#record.transaction = group.events.transaction[event];
        this.#setOrder(group, event);
      }
      lastEvent = event;
      this.#renderChange(table, batch, change);
    }
  }

  /** A row of an incremental snapshot: at the place of the event that ended its window, by the connector's own clock. */
  #renderRefreshed(table: Table, group: CommitGroup, batch: ChangeBatch, change: number): void {
    if (this.#options.skippedOperations.has('r') || table.isEnded?.(batch, change) === true) return;
    const event = batch.events[change] ?? 0;
    this.#source.ofRefresh(table.template, group, event);
    this.#record.transaction = group.events.transaction[event];
    this.#row = 0;
    const start = batch.starts[2 * change + 1] ?? 0;
    locateCells(table.widths, { bytes: batch.bytes, start }, table.located, table.after);
    this.#rows.out.clear();
    this.#setKey(table, table.after, table.after);
    this.#setValue(table, -1, start, opLetters[op.read]);
    this.#emit(table, this.#context);
  }

  #renderChunk(group: CommitGroup, chunk: Chunk): void {
    const { batch } = chunk;
    if (this.#options.skippedOperations.has('r')) return;
    const table = this.#open(batch);
    this.#setClock(chunk, group.madeMicros ?? chunk.readMicros ?? 0);
    this.#record.transaction = undefined;
    this.#row = 0;
    let lastMarker = '';
    const told = toldOf(table, batch);
    for (let change = told.first; change <= told.last; change++) {
      if (table.isEnded?.(batch, change) === true) continue;
      const marker = markerOf(chunk, change === told.first, change === told.last);
      if (marker !== lastMarker) this.#source.ofChunk(table.template, group, { chunk, marker });
      lastMarker = marker;
      const start = batch.starts[2 * change + 1] ?? 0;
      locateCells(table.widths, { bytes: batch.bytes, start }, table.located, table.after);
      this.#rows.out.clear();
      this.#setKey(table, table.after, table.after, table.template.snapshotKey);
      this.#setValue(table, -1, start, opLetters[op.read]);
      this.#emit(table, this.#context);
    }
  }

  #renderChange(table: Table, batch: ChangeBatch, change: number): void {
    const { bytes, starts } = batch;
    const code = batch.ops[change];
    if (table.isEnded !== undefined && code !== op.update && table.isEnded(batch, change)) return;
    const before = starts[2 * change] ?? 0;
    const after = starts[2 * change + 1] ?? 0;
    const skipped = this.#options.skippedOperations;
    this.#rows.out.clear();
    if (code === op.insert) {
      if (skipped.has('c')) return;
      locateCells(table.widths, { bytes, start: after }, table.located, table.after);
      this.#setKey(table, table.after, table.after);
      this.#setValue(table, -1, after, opLetters[op.insert]);
      this.#emit(table, this.#context);
    } else if (code === op.delete) {
      if (skipped.has('d')) return;
      locateCells(table.widths, { bytes, start: before }, table.located, table.before);
      this.#setKey(table, table.before, table.before);
      this.#emitDelete(table, before, this.#context);
    } else if (code === op.update) {
      if (skipped.has('u')) return;
      locateCells(table.widths, { bytes, start: before }, table.located, table.before);
      locateCells(table.widths, { bytes, start: after }, table.located, table.after);
      if (this.#options.skipsUnchanged && !anyDiffers(table, bytes)) return;
      if (keyDiffers(table, bytes)) {
        this.#renderKeyChange(table, before, after);
        return;
      }
      this.#setKey(table, table.after, table.before);
      this.#setValue(table, before, after, opLetters[op.update]);
      this.#emit(table, this.#context);
    }
  }

  /** Delete and tombstone of the old key, create of the new one; their headers name the other key. */
  #renderKeyChange(table: Table, before: number, after: number): void {
    const newKey = { name: keyHeaderName.new, value: this.#rows.headerOf(table, table.after, table.before) };
    const oldKey = { name: keyHeaderName.old, value: this.#rows.headerOf(table, table.before, table.before) };
    this.#setKey(table, table.before, table.before);
    this.#emitDelete(table, before, [newKey, ...this.#context]);
    this.#rows.out.clear();
    this.#setKey(table, table.after, table.before);
    this.#setValue(table, -1, after, opLetters[op.insert]);
    this.#emit(table, [oldKey, ...this.#context]);
  }

  #emitDelete(table: Table, before: number, headers: readonly RecordHeader[]): void {
    this.#setValue(table, before, -1, opLetters[op.delete]);
    this.#emit(table, headers);
    if (!this.#options.tombstones) return;
    this.#record.valueEnd = -1;
    this.#emit(table, headers);
  }

  #emit(table: Table, headers: readonly RecordHeader[]): void {
    const record = this.#record;
    record.topic = table.template.topic;
    record.bytes = this.#rows.out.bytes;
    record.headers = headers;
    this.#sink(record);
  }

  #setKey(table: Table, cells: Int32Array, fallback: Int32Array, columns = table.template.keyColumns): void {
    const record = this.#record;
    const { out } = this.#rows;
    record.keyStart = out.length;
    if (table.template.key.length > 0) this.#rows.writeKey(table, cells, fallback, columns);
    record.keyEnd = table.template.key.length === 0 ? -1 : out.length;
  }

  /** Writes the envelope; an image that starts at -1 is null. */
  #setValue(table: Table, before: number, after: number, letter: number): void {
    const { template } = table;
    const { out } = this.#rows;
    const { head, tail } = this.#source;
    const snapshot = letter === opLetters[op.read];
    this.#record.valueStart = out.length;
    writeBytes(out, template.valueFrame.head);
    this.#rows.writeImage(template, before, snapshot, undefined);
    writeBytes(out, afterLabel);
    this.#rows.writeImage(template, after, snapshot, this.#rows.unchanged(table, before, after));
    out.raw(head.bytes, 0, head.length);
    writeInteger(out, this.#row);
    out.raw(tail.bytes, 0, tail.length);
    if (this.#source.ordered) this.#writeOrder();
    out.uint8(letter);
    out.raw(this.#clock.bytes, 0, this.#clock.length);
    writeBytes(out, template.valueFrame.tail);
    this.#record.valueEnd = out.length;
  }

  #setOrder({ events: { order } }: CommitGroup, event: number): void {
    if (order === undefined) return;
    this.#total = order.total[event] ?? 0;
    this.#ofTable = order.ofTable[event] ?? 0;
  }

  #writeOrder(): void {
    writeInteger(this.#rows.out, ++this.#total);
    writeBytes(this.#rows.out, orderLabel);
    writeInteger(this.#rows.out, ++this.#ofTable);
    writeBytes(this.#rows.out, orderEnd);
  }

  /** The connector's own clock, the same for all records of a group or chunk. */
  #setClock(of: object, micros: number): void {
    if (this.#clockOf === of) return;
    this.#clockOf = of;
    const out = this.#clock;
    out.clear();
    writeBytes(out, millisLabel);
    writeInteger(out, Math.floor(micros / 1000));
    writeBytes(out, microsLabel);
    writeInteger(out, micros);
    writeBytes(out, nanosLabel);
    writeInteger(out, micros);
    if (micros !== 0) writeBytes(out, thousand);
  }

  #open(batch: ChangeBatch): Table {
    this.#rows.open(batch);
    return this.#table(batch.schema);
  }

  #table(schema: TableSchema): Table {
    const known = this.#tables.get(schema) ?? this.#compiled.get(schemaKey(schema));
    const table = known ?? createTable(schema, this.#options);
    this.#tables.set(schema, table);
    this.#compiled.set(schemaKey(schema), table);
    return table;
  }
}

type DdlEntry = Extract<Entry, { kind: 'ddl' }>;

/** The tables that an entry's statement empties, and its event. */
function truncatedOf({ records }: DdlEntry): readonly { readonly schema: TableSchema; readonly event: number; readonly row: number }[] {
  return records.flatMap(({ changes, place }) =>
    changes.flatMap(({ kind, schema }) =>
      kind === 'TRUNCATE' && schema !== undefined && place.kind === 'event' ? [{ schema, event: place.event, row: place.row }] : [],
    ),
  );
}

/** The first and the last row of a chunk that has a record. */
function toldOf({ isEnded }: Table, batch: ChangeBatch): { readonly first: number; readonly last: number } {
  let [first, last] = [0, batch.count - 1];
  while (first <= last && isEnded?.(batch, first) === true) first++;
  while (last > first && isEnded?.(batch, last) === true) last--;
  return { first, last };
}

/** Debezium's snapshot marker of a row: `last` counts more than `first`, the whole snapshot more than its table. */
function markerOf({ first, last }: Chunk, isFirst: boolean, isLast: boolean): string {
  if (isLast && last === 'snapshot') return 'last';
  if (isFirst && first === 'snapshot') return 'first';
  if (isLast && last === 'table') return 'last_in_data_collection';
  if (isFirst && first === 'table') return 'first_in_data_collection';
  return 'true';
}
