import { ByteWriter } from '../base/byte-writer.ts';
import type { CommitGroup, Entry } from '../connect/commit-group.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { jsonString, utf8, writeAscii, writeBytes, writeInteger } from './json-writer.ts';
import type { TableTemplate } from './table-template.ts';

export type Chunk = Extract<Entry, { kind: 'chunk' }>;

const snapshotLabel = utf8(',"snapshot":');
const nanosLabel = utf8(',"ts_ns":');
const gtidLabel = utf8(',"gtid":');
const fileLabel = ',"file":';
const posLabel = ',"pos":';
const rowLabel = utf8(',"row":');
const threadLabel = utf8(',"thread":');
const nullText = utf8('null');
const incremental = utf8('"incremental"');
const thousand = utf8('000');
const queryLabel = utf8(',"query":');
const noTransaction = utf8('},"transaction":null,"op":"');
const endText = utf8(',"query":null},"transaction":null,"op":"');

/** Of a statement's record: the row that stands from the event before, and its thread; Debezium tells it in milliseconds. */
export interface StatementPlace {
  readonly thread: number;
}

interface BlockAt {
  readonly event: number;
  readonly micros: number;
  readonly snapshot: Uint8Array;
  readonly thread?: number | undefined;
}

/**
 * The `source` block of one event's records, written once and copied for each row: `head` up to the value of `row`,
 * `tail` from behind it to the value of `op`.
 */
export class SourceBlock {
  readonly head = new ByteWriter(512);
  readonly tail = new ByteWriter(128);
  /** The tail ends before the value of `total_order`. */
  ordered = false;
  readonly #options: DebeziumOptions;
  readonly #streamedSnapshot: Uint8Array;
  #file: string | undefined;
  #fileText = nullText;

  constructor(options: DebeziumOptions) {
    this.#options = options;
    // unset while streaming: the converter puts the default there, or null
    this.#streamedSnapshot = utf8(options.replaceNullWithDefault ? '"false"' : 'null');
  }

  /** The block of event `event` of the group; `statement`: the event is one. */
  ofEvent(template: TableTemplate, group: CommitGroup, event: number, statement?: StatementPlace): void {
    const exact = group.transactions.committedMicros[group.events.transaction[event] ?? 0] ?? 0;
    const micros = statement === undefined ? exact : Math.floor(exact / 1000) * 1000;
    this.#atEvent(template, group, { event, micros, snapshot: this.#streamedSnapshot, thread: statement?.thread });
  }

  /** The block of an incremental snapshot's row whose window ended with the event. */
  ofRefresh(template: TableTemplate, group: CommitGroup, event: number): void {
    this.#atEvent(template, group, { event, micros: group.madeMicros ?? 0, snapshot: incremental });
  }

  #atEvent(template: TableTemplate, group: CommitGroup, { event, micros, snapshot, thread: told }: BlockAt): void {
    const { transactions, events } = group;
    const transaction = events.transaction[event] ?? 0;
    const mariadb = this.#options.connector === 'mariadb';
    const pos = mariadb ? (transactions.pos?.[transaction] ?? events.pos[event]) : events.pos[event];
    const serverId = transactions.serverId[transaction] ?? 0;
    const thread = mariadb ? 0 : (told ?? transactions.threadId[transaction] ?? 0);
    this.#begin(template, micros, snapshot);
    writeInteger(this.head, serverId);
    writeBytes(this.head, gtidLabel);
    this.#writeGtid(group, transaction);
    this.#writePlace(group.file, pos ?? 0);
    this.tail.clear();
    writeBytes(this.tail, threadLabel);
    if (thread === 0) writeBytes(this.tail, nullText);
    else writeInteger(this.tail, thread);
    this.#writeEnd(group, event);
  }

  /** Up to the value of `op`; with transaction metadata up to that of `total_order`. */
  #writeEnd(group: CommitGroup, event: number): void {
    const { order, queries, transaction } = group.events;
    const query = queries?.[event] ?? null;
    this.ordered = order !== undefined;
    if (query === null && order === undefined) {
      writeBytes(this.tail, endText);
      return;
    }
    writeBytes(this.tail, queryLabel);
    writeBytes(this.tail, query === null ? nullText : utf8(jsonString(query)));
    const id = jsonString(this.#transactionId(group, transaction[event] ?? 0));
    writeBytes(this.tail, order === undefined ? noTransaction : utf8(`},"transaction":{"id":${id},"total_order":`));
  }

  #transactionId({ transactions, file }: CommitGroup, transaction: number): string {
    const source = transactions.gtidSources[transactions.gtidSource[transaction] ?? 0] ?? '';
    const separator = this.#options.connector === 'mariadb' ? '-' : ':';
    if (source !== '') return `${source}${separator}${transactions.gtidSequence[transaction] ?? 0}`;
    return `file=${file},pos=${transactions.pos?.[transaction] ?? 0}`;
  }

  /**
   * The block of a snapshot's rows that are marked so; their time is in whole seconds. Where the group has an event, as of a
   * blocking snapshot, it is the last one before.
   */
  ofChunk(template: TableTemplate, group: CommitGroup, { chunk, marker }: { readonly chunk: Chunk; readonly marker: string }): void {
    const micros = Math.floor((chunk.readMicros ?? 0) / 1e6) * 1e6;
    if (group.events.count > 0) {
      this.#atEvent(template, group, { event: 0, micros, snapshot: utf8(`"${marker}"`) });
      return;
    }
    this.ordered = false;
    this.#begin(template, micros, utf8(`"${marker}"`));
    writeInteger(this.head, 0);
    writeBytes(this.head, gtidLabel);
    writeBytes(this.head, nullText);
    this.#writePlace(chunk.position.file, chunk.position.pos);
    this.tail.clear();
    writeBytes(this.tail, threadLabel);
    writeBytes(this.tail, nullText);
    writeBytes(this.tail, endText);
  }

  #begin(template: TableTemplate, micros: number, snapshot: Uint8Array): void {
    const out = this.head;
    out.clear();
    writeBytes(out, template.sourceHead);
    writeInteger(out, Math.floor(micros / 1000));
    writeBytes(out, snapshotLabel);
    writeBytes(out, snapshot);
    writeBytes(out, template.sourceDatabase);
    writeInteger(out, micros);
    writeBytes(out, nanosLabel);
    writeInteger(out, micros);
    if (micros !== 0) writeBytes(out, thousand);
    writeBytes(out, template.sourceTable);
  }

  #writeGtid({ transactions }: CommitGroup, transaction: number): void {
    const out = this.head;
    const source = transactions.gtidSources[transactions.gtidSource[transaction] ?? 0] ?? '';
    if (source === '') {
      writeBytes(out, nullText);
      return;
    }
    // a UUID and tag, or two numbers: nothing to escape
    writeAscii(out, '"');
    writeAscii(out, source);
    writeAscii(out, this.#options.connector === 'mariadb' ? '-' : ':');
    writeInteger(out, transactions.gtidSequence[transaction] ?? 0);
    writeAscii(out, '"');
  }

  #writePlace(file: string, pos: number): void {
    const out = this.head;
    if (file !== this.#file) {
      this.#file = file;
      this.#fileText = utf8(`${fileLabel}${jsonString(file)}${posLabel}`);
    }
    writeBytes(out, this.#fileText);
    writeInteger(out, pos);
    writeBytes(out, rowLabel);
  }
}
