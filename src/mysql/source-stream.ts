import { MillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ConnectionSettings, ServerConnection } from '../binlog/connection.ts';
import type { BinlogEvent } from '../binlog/events.ts';
import { openBinlogStream } from '../binlog/stream.ts';
import type { BinlogStream } from '../binlog/stream.ts';
import type { Charsets } from './charset.ts';
import { EventMapper } from './event-mapper.ts';
import type { TransactionHeader } from './group-builder.ts';
import type { FindRowMask } from './mask-rows.ts';
import { pending, valueOf } from './pending.ts';
import type { Pending } from './pending.ts';
import type { StreamFilter } from './rows-mapper.ts';
import { comparePositions } from './server-position.ts';
import type { BinlogPlace } from './snapshot-table.ts';
import type { SourceConfig } from './source-config.ts';
import type { SourceModels } from './source-models.ts';
import { streamStart } from './source-offset.ts';
import type { StreamPosition, StreamWatcher } from './stream-contract.ts';
import type { TransactionMonitor } from './transaction-monitor.ts';

export interface SourceStreamOptions {
  readonly config: SourceConfig;
  readonly settings: ConnectionSettings;
  readonly control: ServerConnection;
  readonly charsets: Charsets;
  readonly models: SourceModels;
  readonly masks: FindRowMask | undefined;
  readonly monitor: TransactionMonitor | undefined;
  readonly watcher: StreamWatcher;
  readonly log: Logger;
  /** As of `TaskContext`. */
  readonly run?: string | undefined;
  readonly keepsTables?: (() => boolean) | undefined;
}

/** The server says at least this often that it is there; also how late a quiet stream notices a request. */
const heartbeatMs = 1000;
/** So long without a byte, and the server counts as gone. */
const readTimeoutMs = 10_000;

/** The binlog of a source, as far as it is open, and what of its events is mapped. */
export class SourceStream implements AsyncDisposable {
  /** Events of tables that no list takes. */
  filteredEvents = 0;
  readonly #options: SourceStreamOptions;
  #stream: BinlogStream | undefined;
  #mapper: EventMapper | undefined;
  #events: readonly BinlogEvent[] = [];
  #nextEvent = 0;
  #reading: Pending<readonly BinlogEvent[]> | undefined;

  constructor(options: SourceStreamOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#stream !== undefined;
  }

  /** Undefined before the first `open`, and after `stop`. */
  get mapper(): EventMapper | undefined {
    return this.#mapper;
  }

  /** Opens the binlog unless it is open. `filter`: what becomes of changes while a snapshot is taken. */
  async open(position: StreamPosition | undefined, filter: () => StreamFilter | undefined, signal: AbortSignal): Promise<EventMapper> {
    if (this.#stream !== undefined && this.#mapper !== undefined) return this.#mapper;
    if (position === undefined) throw new MillraceError('INTERNAL', 'no position to stream from');
    const { config, settings, control, charsets, models, masks, monitor, watcher, log, run, keepsTables } = this.#options;
    const start = streamStart(config.flavor, position);
    this.#stream = await openBinlogStream(
      { connection: settings, serverId: config.serverId, start, heartbeatMs, readTimeoutMs, annotateRows: config.tellsQueries },
      signal,
    );
    log.info({ file: position.file, pos: position.pos, gtids: position.gtids }, 'streaming the binlog');
    const mapper = new EventMapper({
      flavor: config.flavor,
      source: config.topicPrefix,
      captures: (table) => config.captures(table),
      leavesOut: config.leavesOut,
      charsets,
      models,
      start: position,
      masks,
      tellsTruncate: config.tellsTruncate,
      tellsQueries: config.tellsQueries,
      marksDocuments: config.marksDocuments,
      monitor,
      run,
      serverId: Number((await control.query('SELECT @@server_id', signal))[0]?.[0] ?? 0),
      groupBytes: config.groupBytes,
      keepsTables,
      onFiltered: () => this.filteredEvents++,
    });
    mapper.watcher = watcher;
    mapper.snapshot = filter();
    this.#mapper = mapper;
    return mapper;
  }

  /** Settles when events have come; undefined: some are here already, or nothing is read. */
  arrival(signal: AbortSignal): Promise<void> | undefined {
    if (this.#stream === undefined || this.#nextEvent < this.#events.length) return undefined;
    this.#reading ??= pending(this.#stream.read(signal));
    return this.#reading.settled;
  }

  /** Takes what has come. @throws what ended the stream */
  receive(): void {
    if (this.#reading?.result === undefined) return;
    this.#events = valueOf(this.#reading.result);
    this.#nextEvent = 0;
    this.#reading = undefined;
  }

  /** Maps events until a group is full, or the stream is past `hold` or `end`. */
  map(mapper: EventMapper, hold: BinlogPlace | undefined, end: BinlogPlace | undefined): void {
    while (this.#nextEvent < this.#events.length && !mapper.isReady) {
      if (!mapper.isInTransaction) {
        const position = mapper.position();
        if (isPast(position, hold) || isPast(position, end)) return;
      }
      const event = this.#events[this.#nextEvent++];
      if (event !== undefined) mapper.take(event);
    }
  }

  /** It can be opened elsewhere afterwards. The last transaction that was mapped. */
  async stop(): Promise<TransactionHeader | undefined> {
    const last = this.#mapper?.lastTransaction;
    await this[Symbol.asyncDispose]();
    this.#mapper = undefined;
    this.#events = [];
    this.#nextEvent = 0;
    return last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#reading = undefined;
    await stream?.[Symbol.asyncDispose]();
  }
}

/** Before the server has told its file, which is so when the place is looked for by GTIDs, it is not. */
export function isPast(position: BinlogPlace, place: BinlogPlace | undefined): boolean {
  return place !== undefined && position.file !== '' && comparePositions(position, place) >= 0;
}
