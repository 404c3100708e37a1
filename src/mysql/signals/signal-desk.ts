import { readFileSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { MillraceError, isMillraceError, messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { compileJavaRegex } from '../../config/java-regex.ts';
import type { ConnectionSettings } from '../../binlog/connection.ts';
import type { Entry } from '../../connect/commit-group.ts';
import type { SourceSignal, StateRecord } from '../../connect/tasks.ts';
import { readImage } from '../../event/cell.ts';
import { op } from '../../event/change-batch.ts';
import type { ChangeBatchBuilder } from '../../event/change-batch.ts';
import { tableName } from '../../event/table-schema.ts';
import type { TableId, TableSchema } from '../../event/table-schema.ts';
import type { FindRowMask } from '../mask-rows.ts';
import type { BinlogPlace } from '../snapshot-table.ts';
import type { SourceModels } from '../source-models.ts';
import { IncrementalSnapshot } from './incremental-snapshot.ts';
import type { GroupRows } from './incremental-snapshot.ts';
import { incrementalOffset, incrementalOfOffset } from './incremental-offset.ts';
import { readSignalState, signalRecord } from './incremental-state.ts';
import { orderOf } from './chunked-tables.ts';
import type { BlockingRequest, SignalState } from './incremental-state.ts';
import type { NamedPosition } from './named-position.ts';
import { createNotifications } from './notifications.ts';
import type { Notifications } from './notifications.ts';
import { dataProblem, membersOf, parseSignal, readSnapshotSignal } from './signal.ts';
import type { Signal } from './signal.ts';
import type { SignalConfig } from './signal-config.ts';

export interface SignalDeskOptions {
  readonly connector: string;
  readonly topicPrefix: string;
  readonly config: SignalConfig;
  readonly connection: ConnectionSettings;
  readonly models: SourceModels;
  readonly masks: FindRowMask | undefined;
  /** The records of `signalTopic`. */
  readonly state: ReadonlyMap<string, string>;
  /** The stored offset: a Debezium's may tell of an incremental snapshot. */
  readonly offset?: Readonly<Record<string, unknown>> | undefined;
  readonly log: Logger;
}

/** So many signals of places are remembered. */
const keptJumps = 100;

/** Takes signals from all channels, and what they asked for until it is done. */
export class SignalDesk implements AsyncDisposable {
  readonly notifications: Notifications;
  readonly incremental: IncrementalSnapshot;
  /** Where the stream shall go on; whoever goes there unsets it. */
  jump: NamedPosition | null;
  readonly #options: SignalDeskOptions;
  #blocking: readonly BlockingRequest[];
  #jumped: readonly string[];
  #written: SignalState;
  #waiting: Signal[] = [];
  #entries: Entry[] = [];
  /** Where the stream was last. */
  #place: BinlogPlace = { file: '', pos: 0 };
  /** Of the file, what was acted on. */
  #fileRead = '';
  #fileAt = 0;
  /** What was wrong with it last, which is told once. */
  #fileFault = '';

  constructor(options: SignalDeskOptions) {
    this.#options = options;
    const { config, connector, connection, models, masks, log } = options;
    this.notifications = createNotifications(config, options.topicPrefix, log);
    this.#written = readSignalState(connector, options.state);
    const { incremental, blocking, jump, jumped } = this.#written;
    const open = incremental ?? incrementalOfOffset(options.offset);
    this.incremental = new IncrementalSnapshot(
      { config, connection, models, notifications: this.notifications, masks, log },
      open ?? undefined,
    );
    this.#blocking = blocking;
    this.jump = jump;
    this.#jumped = jumped;
  }

  /**
   * From outside of the stream; acted on at the next `turn`.
   *
   * @throws REQUEST_INVALID for a record that Debezium would pass over: nobody reads the topic, or its key is not `topic.prefix`
   */
  take({ id, type, data, record }: SourceSignal): void {
    if (record === null) {
      this.#waiting.push({ id, type, data, channel: 'api' });
      return;
    }
    const { config, connector, topicPrefix } = this.#options;
    const { key = topicPrefix, value } = record;
    if (!config.channels.has('kafka')) {
      throw new MillraceError('REQUEST_INVALID', `${connector} reads no signals from a topic: signal.enabled.channels has no kafka.`);
    }
    if (key !== topicPrefix) {
      throw new MillraceError('REQUEST_INVALID', `${connector} heeds records of ${config.topic} with the key "${topicPrefix}" alone.`);
    }
    this.#waiting.push({ id, type, data, channel: 'kafka', record: value });
  }

  /** What the stored offset tells of it. */
  offset(): Readonly<Record<string, unknown>> {
    const { models } = this.#options;
    return incrementalOffset(this.incremental.state, (table) => {
      const model = models.find(table.database, table.table);
      return model === undefined ? undefined : orderOf(model.captured, table)?.columns;
    });
  }

  /** Acts on what came from outside of the stream; between two transactions, when what was handed out last is durable. */
  turn(): void {
    const waiting = [...this.#waiting, ...this.#readFile()];
    this.#waiting = [];
    for (const signal of waiting) {
      if (signal.record !== undefined) this.#entries.push(this.#topicEntry(signal.record));
      this.#handle(signal);
    }
  }

  /** Rows of the stream, from `from` on, all of one event. */
  rows(batch: ChangeBatchBuilder, from: number, { event, rows }: { readonly event: number; readonly rows: GroupRows }): void {
    this.incremental.rows(batch, from);
    const { config } = this.#options;
    const { database, table } = batch.schema;
    if (config.collection?.table !== table || config.collection.database !== database) return;
    const { bytes, starts, ops, count } = batch.view();
    for (let i = from; i < count; i++) {
      const isInsert = ops[i] === op.insert;
      const [start = 0, end = 0] = isInsert ? [starts[2 * i + 1], starts[2 * i + 2]] : [starts[2 * i], starts[2 * i + 1]];
      if (!isInsert && ops[i] !== op.delete) continue;
      const [id, type, data] = readImage(batch.schema, bytes, start, end);
      if (typeof id !== 'string') continue;
      if (!isInsert || type === 'snapshot-window-open' || type === 'snapshot-window-close') this.incremental.watermark(id, event, rows);
      else if (typeof type === 'string' && config.channels.has('source')) {
        this.#handle({ id, type, data: typeof data === 'string' ? data : null, channel: 'source' });
      }
    }
  }

  /** A statement changed tables as a whole. */
  changed(tables: readonly TableId[]): void {
    this.incremental.changed(tables);
  }

  /** Goes on with the incremental snapshot, if there is one. */
  work(place: BinlogPlace): void {
    this.#place = place;
    this.incremental.work(place);
  }

  /** The blocking snapshot that is to be taken next. It is asked for until it has begun, durably, or cannot begin. */
  get blocking(): BlockingRequest | undefined {
    return this.#blocking[0];
  }

  /** Those that a blocking snapshot reads, each as a whole; without any the request is done with. */
  wholeTables({ id, collections, conditions }: BlockingRequest): readonly TableSchema[] {
    const { models, log } = this.#options;
    if (conditions.length > 0) {
      // A part of a table cannot take the place of all of it in a replica.
      log.warn({ id }, 'a blocking snapshot with conditions is taken as an incremental one');
      this.incremental.add(id, { kind: 'incremental', collections, conditions, surrogateKey: undefined }, models.captured());
      this.dropBlocking();
      return [];
    }
    const patterns = collections.map(compileJavaRegex);
    const tables = models.captured().filter((table) => patterns.some((pattern) => pattern.test(tableName(table))));
    if (tables.length > 0) return tables;
    log.warn({ id, collections }, 'a blocking snapshot of no table');
    this.dropBlocking();
    return [];
  }

  dropBlocking(): void {
    this.#blocking = this.#blocking.slice(1);
  }

  get hasNews(): boolean {
    return this.#entries.length > 0 || !this.notifications.isEmpty || this.#isChanged;
  }

  /** What the next group holds of it. */
  drain(): { readonly entries: readonly Entry[]; readonly state: readonly StateRecord[] } {
    const told = this.notifications.drain();
    const entries = told === undefined ? this.#entries : [...this.#entries, told];
    this.#entries = [];
    return { entries, state: this.drainState() };
  }

  /** What becomes durable with the next group. */
  drainState(): readonly StateRecord[] {
    if (!this.#isChanged) return [];
    this.#written = this.#current();
    return [signalRecord(this.#options.connector, this.#written)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.incremental[Symbol.asyncDispose]();
  }

  #current(): SignalState {
    return { incremental: this.incremental.state ?? null, blocking: this.#blocking, jump: this.jump, jumped: this.#jumped };
  }

  get #isChanged(): boolean {
    const { incremental, blocking, jump } = this.#current();
    return this.#written.incremental !== incremental || this.#written.blocking !== blocking || this.#written.jump !== jump;
  }

  #handle(signal: Signal): void {
    const { log } = this.#options;
    const { id, type, data, channel } = signal;
    const problem = dataProblem(data);
    if (problem !== undefined) {
      log.warn({ id, type, channel, problem }, 'the data of a signal is no JSON: it is passed over');
      return;
    }
    log.info({ id, type, channel }, `Received signal '${type}'`);
    try {
      this.#act(signal);
    } catch (error) {
      // It is in the binlog for good: a source that failed at it would never get past it.
      if (!isMillraceError(error)) throw error;
      log.warn({ id, type, channel, problem: error.message }, 'a signal cannot be done: it is passed over');
    }
  }

  #act(signal: Signal): void {
    const { log, models } = this.#options;
    const { id, type, data, channel } = signal;
    switch (type) {
      case 'execute-snapshot': {
        const snapshot = readSnapshotSignal(signal);
        if (snapshot.collections.length === 0) log.warn({ id }, 'execute-snapshot without data-collections');
        else if (snapshot.kind === 'incremental') this.incremental.add(id, snapshot, models.captured());
        else {
          log.info({ id, tables: snapshot.collections }, `Requested 'BLOCKING' snapshot`);
          this.#blocking = [
            ...this.#blocking,
            { id, streamed: channel === 'source', collections: snapshot.collections, conditions: snapshot.conditions },
          ];
        }
        return;
      }
      case 'stop-snapshot':
        this.incremental.stop(readSnapshotSignal(signal).collections);
        return;
      case 'pause-snapshot':
        this.incremental.pause();
        return;
      case 'resume-snapshot':
        this.incremental.resume();
        return;
      case 'log': {
        const { message } = membersOf(data);
        // Debezium puts what it knows of its position in place of the braces.
        if (typeof message === 'string') log.info({ id }, message.replace('{}', `${this.#place.file}:${this.#place.pos}`));
        return;
      }
      case 'schema-changes':
        log.info({ id }, 'schema-changes: the definitions of tables come from the server, none is needed');
        return;
      case 'set-binlog-position':
        this.#setPosition(signal);
        return;
      default:
        log.warn({ id, type, channel }, `Signal '${type}' has been received but the type is not recognized`);
    }
  }

  #setPosition({ id, data }: Signal): void {
    const { binlog_filename: file, binlog_position: pos, gtid_set: gtids } = membersOf(data);
    const { log } = this.#options;
    if (this.#jumped.includes(id)) {
      log.info({ id }, 'set-binlog-position has been done: the stream has come to it again');
      return;
    }
    const offset = Number(pos);
    if (typeof file === 'string' && file !== '' && Number.isSafeInteger(offset) && offset >= 4) {
      this.jump = { file, pos: offset, gtids: '' };
    } else if (typeof gtids === 'string' && gtids.trim() !== '') {
      this.jump = { file: '', pos: 4, gtids: gtids.trim() };
    } else {
      log.warn({ id }, 'set-binlog-position needs binlog_filename and binlog_position, or gtid_set');
      return;
    }
    this.#jumped = [...this.#jumped.slice(1 - keptJumps), id];
  }

  #topicEntry(text: string): Entry {
    const { config, topicPrefix } = this.#options;
    return { kind: 'records', topic: config.topic, records: [{ key: Buffer.from(topicPrefix), value: Buffer.from(text), headers: [] }] };
  }

  /** Lines are signals; they are removed once what they asked for is durable, so that a crash asks again at worst. */
  #readFile(): readonly Signal[] {
    const { config, log } = this.#options;
    if (!config.channels.has('file')) return [];
    try {
      if (this.#fileRead !== '') {
        const now = readFileSync(config.file, 'utf8');
        writeFileSync(config.file, now.startsWith(this.#fileRead) ? now.slice(this.#fileRead.length) : '');
        this.#fileRead = '';
      }
      if (Date.now() < this.#fileAt) return [];
      this.#fileAt = Date.now() + config.pollMs;
      this.#fileRead = readFileSync(config.file, 'utf8');
      const lines = this.#fileRead.split('\n');
      return lines.flatMap((line) => (line.trim() === '' ? [] : (parseSignal(line, 'file', randomUUID()) ?? this.#noSignal(line))));
    } catch (error) {
      const text = messageOf(error);
      const isNews = text !== this.#fileFault && !text.startsWith('ENOENT');
      if (isNews) log.warn({ file: config.file, error: text }, 'the file of signals cannot be used');
      this.#fileFault = text;
      return [];
    }
  }

  #noSignal(line: string): readonly Signal[] {
    this.#options.log.warn({ file: this.#options.config.file, line: line.slice(0, 200) }, 'a line of the file of signals is none');
    return [];
  }
}
