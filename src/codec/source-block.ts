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
const endText = utf8(',"query":null},"transaction":null,"op":"');

/**
 * The `source` block of one event's records, written once and copied for each row: `head` up to the value of `row`,
 * `tail` from behind it to the value of `op`.
 */
export class SourceBlock {
  readonly head = new ByteWriter(512);
  readonly tail = new ByteWriter(128);
  readonly #options: DebeziumOptions;
  readonly #streamedSnapshot: Uint8Array;
  #file: string | undefined;
  #fileText = nullText;

  constructor(options: DebeziumOptions) {
    this.#options = options;
    // unset while streaming: the converter puts the default there, or null
    this.#streamedSnapshot = utf8(options.replaceNullWithDefault ? '"false"' : 'null');
  }

  /** The block of event `event` of the group. */
  ofEvent(template: TableTemplate, group: CommitGroup, event: number): void {
    const micros = group.transactions.committedMicros[group.events.transaction[event] ?? 0] ?? 0;
    this.#atEvent(template, group, { event, micros, snapshot: this.#streamedSnapshot });
  }

  /** The block of an incremental snapshot's row whose window ended with the event. */
  ofRefresh(template: TableTemplate, group: CommitGroup, event: number): void {
    this.#atEvent(template, group, { event, micros: group.madeMicros ?? 0, snapshot: incremental });
  }

  #atEvent(
    template: TableTemplate,
    group: CommitGroup,
    { event, micros, snapshot }: { readonly event: number; readonly micros: number; readonly snapshot: Uint8Array },
  ): void {
    const { transactions, events } = group;
    const transaction = events.transaction[event] ?? 0;
    const mariadb = this.#options.connector === 'mariadb';
    const pos = mariadb ? (transactions.pos?.[transaction] ?? events.pos[event]) : events.pos[event];
    const serverId = transactions.serverId[transaction] ?? 0;
    const thread = mariadb ? 0 : (transactions.threadId[transaction] ?? 0);
    this.#begin(template, micros, snapshot);
    writeInteger(this.head, serverId);
    writeBytes(this.head, gtidLabel);
    this.#writeGtid(group, transaction);
    this.#writePlace(group.file, pos ?? 0);
    this.tail.clear();
    writeBytes(this.tail, threadLabel);
    if (thread === 0) writeBytes(this.tail, nullText);
    else writeInteger(this.tail, thread);
    writeBytes(this.tail, endText);
  }

  /** The block of a snapshot's rows that are marked so; their time is in whole seconds. */
  ofChunk(template: TableTemplate, chunk: Chunk, marker: string): void {
    const micros = Math.floor((chunk.readMicros ?? 0) / 1e6) * 1e6;
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
