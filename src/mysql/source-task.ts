/* oxlint-disable eslint/max-lines -- one object decides what comes next; its parts that can stand alone do so already */
import { sleep } from '../base/abort.ts';
import { MillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { BinlogEvent } from '../binlog/events.ts';
import { openConnection } from '../binlog/connection.ts';
import type { ConnectionSettings } from '../binlog/connection.ts';
import { openBinlogStream } from '../binlog/stream.ts';
import type { BinlogStream } from '../binlog/stream.ts';
import type { CommitGroup, Entry, SourcePosition } from '../connect/commit-group.ts';
import type { SourceBatch, SourceProgress, SourceSignal, SourceState, SourceTask, StateRecord, TableProgress } from '../connect/tasks.ts';
import { compileJavaRegex } from '../config/java-regex.ts';
import type { TableId } from '../event/table-schema.ts';
import { tableName } from '../event/table-schema.ts';
import { connectionSettings } from './connection-settings.ts';
import { loadCharsets } from './charset.ts';
import type { Charsets } from './charset.ts';
import { EventMapper } from './event-mapper.ts';
import type { MappedGroup, StreamPosition } from './stream-contract.ts';
import { GroupBuilder } from './group-builder.ts';
import type { TransactionHeader } from './group-builder.ts';
import { checkGuardrail } from './guardrail.ts';
import { Heartbeat } from './heartbeat.ts';
import { createRowMasks } from './mask-rows.ts';
import type { FindRowMask } from './mask-rows.ts';
import { pending, valueOf } from './pending.ts';
import type { Pending } from './pending.ts';
import { comparePositions } from './server-position.ts';
import { openSnapshot } from './snapshot.ts';
import { inSnapshotOrder } from './snapshot-order.ts';
import type { Snapshot, SnapshotStep } from './snapshot-contract.ts';
import { createSnapshotRequests, resyncTopic } from './snapshot-requests.ts';
import type { SnapshotRequests } from './snapshot-requests.ts';
import { stepEntry } from './snapshot-entry.ts';
import type { EntryWithState } from './snapshot-entry.ts';
import { signalTopic } from './signals/incremental-state.ts';
import type { BlockingRequest } from './signals/incremental-state.ts';
import { tellStart, tellStep } from './signals/initial-notices.ts';
import { SignalDesk } from './signals/signal-desk.ts';
import { problemOfPosition } from './signals/named-position.ts';
import type { NamedPosition } from './signals/named-position.ts';
import { snapshotTopic } from './snapshot-state.ts';
import { SnapshotTeller } from './snapshot-teller.ts';
import type { SourceConfig } from './source-config.ts';
import { streamStart, writeOffset } from './source-offset.ts';
import type { OffsetFacts } from './source-offset.ts';
import { decideStart } from './source-start.ts';
import type { StartOptions } from './source-start.ts';
import type { BinlogPlace } from './snapshot-table.ts';
import { checkStart } from './start-checks.ts';
import { TransactionMonitor } from './transaction-monitor.ts';
import { openSourceModels, otherTableTopic, tableTopic } from './source-models.ts';

export interface SourceTaskOptions {
  readonly config: SourceConfig;
  readonly state: SourceState;
  readonly log: Logger;
  /** As of `TaskContext`; absent: true. */
  readonly keepsTables?: () => boolean;
  /** As of `TaskContext`. */
  readonly run?: string;
}

/** The server says at least this often that it is there; also how late a quiet stream notices a request. */
const heartbeatMs = 1000;
/** So long without a byte, and the server counts as gone. */
const readTimeoutMs = 10_000;
/** How often a source that does not stream looks for requests. */
const idleMs = 1000;
/** The position alone is made durable at most so often. */
const advanceMs = 500;

/**
 * A MySQL or MariaDB source: a snapshot first, if there is none yet, then the stream of its binlog.
 *
 * @throws MYSQL_UNREACHABLE (retriable), MYSQL_ACCESS_DENIED, MYSQL_SETTING, MYSQL_PRIVILEGE_MISSING, BINLOG_PURGED
 */
export async function openSourceTask(options: SourceTaskOptions, signal: AbortSignal): Promise<SourceTask> {
  const { config, state } = options;
  const settings = connectionSettings(config.server);
  const control = await openConnection(settings, signal);
  try {
    const snapshots = config.snapshotMode === 'always' || (state.offset === undefined && config.snapshotMode !== 'no_data');
    const keepsTables = options.keepsTables?.() ?? true;
    await checkStart(control, config, { log: options.log, snapshots, keepsTables }, signal);
    await checkGuardrail(control, config, options.log, signal);
    const charsets = await loadCharsets(control, signal);
    const models = await openSourceModels(
      { config, connection: control, state: state.state(tableTopic), others: state.state(otherTableTopic), log: options.log },
      signal,
    );
    const task = new MysqlSourceTask({ ...options, settings, control, charsets, models });
    await task.start(signal);
    return task;
  } catch (error) {
    control.destroy();
    throw error;
  }
}

interface Parts extends StartOptions {
  readonly keepsTables?: () => boolean;
  readonly run?: string;
  readonly settings: ConnectionSettings;
  readonly charsets: Charsets;
}

class MysqlSourceTask implements SourceTask {
  readonly #parts: Parts;
  /** Where the next stream starts; follows the stream as it goes. */
  #position: StreamPosition | undefined;
  #stream: BinlogStream | undefined;
  #mapper: EventMapper | undefined;
  #events: readonly BinlogEvent[] = [];
  #nextEvent = 0;
  #reading: Pending<readonly BinlogEvent[]> | undefined;
  #snapshot: Snapshot | undefined;
  /** How the last snapshot ended. */
  #finished: readonly TableProgress[] = [];
  #stepping: Pending<SnapshotStep> | undefined;
  readonly #requests: SnapshotRequests;
  /** What the first group of a source without a snapshot holds. */
  #first: EntryWithState | undefined;
  #builder: GroupBuilder;
  readonly #heartbeat: Heartbeat;
  readonly #masks: FindRowMask | undefined;
  readonly #monitor: TransactionMonitor | undefined;
  readonly #desk: SignalDesk;
  /** The snapshot holds the stream until it is read; its rows are records. */
  #blocks = false;
  #hasWaited = false;
  #tellsRows = false;
  /** The last transaction before the stream was stopped. */
  #before: TransactionHeader | undefined;
  readonly #teller: SnapshotTeller;
  /** Records that become durable with the next batch. */
  #queued: StateRecord[] = [];
  /** Of the newest event so far. */
  #facts: Pick<OffsetFacts, 'seconds' | 'serverId'> = { seconds: Math.floor(Date.now() / 1000) };
  #advancedAt = 0;
  #filteredEvents = 0;
  #advancedTo: SourcePosition | undefined;
  readonly #closing = new AbortController();
  #inner: { readonly outer: AbortSignal; readonly inner: AbortSignal } | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#requests = createSnapshotRequests(parts.config.name, parts.state.state(resyncTopic));
    this.#builder = new GroupBuilder(parts.config.topicPrefix, { run: parts.run });
    const { countRecords } = parts.config;
    if (countRecords !== undefined) {
      this.#monitor = new TransactionMonitor(countRecords);
      if (parts.state.offset !== undefined) this.#monitor.restore(parts.state.offset, parts.config.flavor);
    }
    this.#heartbeat = new Heartbeat(parts.config, parts.log);
    this.#masks = createRowMasks(parts.config.rules);
    this.#desk = new SignalDesk({
      connector: parts.config.name,
      topicPrefix: parts.config.topicPrefix,
      config: parts.config.signals,
      connection: parts.settings,
      models: parts.models,
      masks: this.#masks,
      state: parts.state.state(signalTopic),
      offset: parts.state.offset,
      log: parts.log,
    });
    this.#teller = new SnapshotTeller(parts);
  }

  async start(signal: AbortSignal): Promise<void> {
    const { position, first, queued, snapshot, doubted = [] } = await decideStart(this.#parts, signal);
    this.#position = position;
    this.#first = first;
    this.#queued = [...queued, ...doubted.map((table) => this.#requests.doubt(table, true))];
    if (snapshot === undefined) {
      tellStart({ readsDefinitions: first !== undefined }, this.#desk.notifications);
      return;
    }
    await this.#waitFirst(this.#parts.config.snapshotDelayMs, 'snapshot.delay.ms', signal);
    await this.#openSnapshot(snapshot, signal);
  }

  async #waitFirst(ms: number, property: string, signal: AbortSignal): Promise<void> {
    if (ms === 0) return;
    this.#parts.log.info({ ms }, `waits as ${property} says`);
    await sleep(ms, signal);
  }

  async poll(signal: AbortSignal): Promise<SourceBatch> {
    this.#builder.clear();
    this.#mapper?.clear();
    for (;;) {
      signal.throwIfAborted();
      const batch = await this.#pollOnce(signal);
      if (batch !== undefined) return batch;
    }
  }

  requestSnapshot(tables: readonly string[]): void {
    this.#requests.add(tables);
  }

  signal(signal: SourceSignal): void {
    this.#desk.take(signal);
  }

  progress(): SourceProgress {
    return { snapshot: this.#snapshot?.progress() ?? this.#finished, filteredEvents: this.#filteredEvents };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new MillraceError('ABORTED', 'the source was closed'));
    await this.#closeStream();
    await this.#desk[Symbol.asyncDispose]();
    await this.#snapshot?.[Symbol.asyncDispose]();
    await this.#parts.control[Symbol.asyncDispose]();
  }

  /** One turn: a snapshot's step, or what the stream has, or a wait for either. */
  async #pollOnce(signal: AbortSignal): Promise<SourceBatch | undefined> {
    const first = this.#first;
    if (first !== undefined) {
      this.#first = undefined;
      const told = await this.#teller.tellAll(this.#position, { last: true }, signal);
      return this.#withEntries([...told.entries, first.entry], [...told.state, ...first.state]);
    }
    const signaled = await this.#actOnSignals(signal);
    if (signaled !== undefined) return signaled;
    if (this.#snapshot === undefined && !this.#isAmidTransaction) {
      const requested = this.#requests.take(this.#parts.keepsTables ?? (() => true));
      if (requested !== undefined) await this.#openRequested(requested.tables, signal);
    }
    const inner = this.#innerSignal(signal);
    this.#pullStep(inner);
    const step = this.#takeStep();
    if (step !== undefined) {
      const batch = await this.#fromStep(step, signal);
      if (batch !== undefined) return batch;
    }
    if (this.#streams) {
      if (!this.#hasWaited) await this.#waitFirst(this.#parts.config.streamingDelayMs, 'streaming.delay.ms', signal);
      this.#hasWaited = true;
      this.#stream ??= await this.#openStream(signal);
      const ended = this.#endSnapshot() ?? this.#handOutChunk();
      if (ended !== undefined) return ended;
      const batch = this.#fromStream();
      await this.#heartbeat.act(this.#parts.control, signal);
      if (batch !== undefined) return batch;
    }
    await this.#waitForMore(inner);
    return undefined;
  }

  /** The first snapshot is read before the stream starts; any other one beside it, and once it runs it runs. */
  get #streams(): boolean {
    if (this.#position === undefined) return false;
    if (this.#snapshot === undefined && this.#parts.config.snapshotMode === 'initial_only') return false;
    if (this.#blocks) return this.#snapshot?.end !== undefined || this.#stream !== undefined;
    return this.#stream !== undefined || this.#snapshot === undefined || !this.#snapshot.initial || this.#snapshot.end !== undefined;
  }

  /** Asks the snapshot for its next step. After its end it has another one only when a table changes, which unsets the end. */
  #pullStep(inner: AbortSignal): void {
    const snapshot = this.#snapshot;
    if (snapshot !== undefined && snapshot.end === undefined) this.#stepping ??= pending(snapshot.next(inner));
  }

  async #waitForMore(inner: AbortSignal): Promise<void> {
    const waits: Promise<unknown>[] = [];
    if (this.#stepping !== undefined && !this.#isAmidTransaction) waits.push(this.#stepping.settled);
    if (this.#stream !== undefined && this.#nextEvent >= this.#events.length) {
      this.#reading ??= pending(this.#stream.read(inner));
      waits.push(this.#reading.settled);
    }
    const { working } = this.#desk.incremental;
    if (working !== undefined) waits.push(working);
    // A source that only copies has nothing to wait for any more.
    if (waits.length === 0) waits.push(sleep(idleMs, inner));
    await Promise.race(waits);
    if (this.#reading?.result !== undefined) {
      this.#events = valueOf(this.#reading.result);
      this.#nextEvent = 0;
      this.#reading = undefined;
    }
  }

  /** Aborted with the caller's signal, and when the task is closed. */
  #innerSignal(signal: AbortSignal): AbortSignal {
    if (this.#inner?.outer !== signal) this.#inner = { outer: signal, inner: AbortSignal.any([signal, this.#closing.signal]) };
    return this.#inner.inner;
  }

  // --- the stream

  async #openStream(signal: AbortSignal): Promise<BinlogStream> {
    const position = this.#position;
    if (position === undefined) throw new MillraceError('INTERNAL', 'no position to stream from');
    const { config, settings, control, charsets, models, log } = this.#parts;
    const start = streamStart(config.flavor, position);
    const stream = await openBinlogStream(
      { connection: settings, serverId: config.serverId, start, heartbeatMs, readTimeoutMs, annotateRows: config.tellsQueries },
      signal,
    );
    log.info({ file: position.file, pos: position.pos, gtids: position.gtids }, 'streaming the binlog');
    this.#mapper = new EventMapper({
      flavor: config.flavor,
      source: config.topicPrefix,
      captures: (table) => config.captures(table),
      charsets,
      models,
      start: position,
      masks: this.#masks,
      tellsTruncate: config.tellsTruncate,
      tellsQueries: config.tellsQueries,
      marksDocuments: config.marksDocuments,
      monitor: this.#monitor,
      run: this.#parts.run,
      serverId: Number((await control.query('SELECT @@server_id', signal))[0]?.[0] ?? 0),
      groupBytes: config.groupBytes,
      keepsTables: this.#parts.keepsTables,
      onFiltered: () => this.#filteredEvents++,
    });
    this.#mapper.watcher = this.#desk;
    if (this.#snapshot !== undefined) this.#mapper.snapshot = this.#streamFilter(this.#snapshot);
    return stream;
  }

  async #closeStream(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#reading = undefined;
    await stream?.[Symbol.asyncDispose]();
  }

  #fromStream(): SourceBatch | undefined {
    const mapper = this.#mapper;
    if (mapper === undefined) return undefined;
    const place = this.#snapshot?.end;
    const hold = this.#snapshot?.hold;
    while (this.#nextEvent < this.#events.length && !mapper.isReady) {
      if (!mapper.isInTransaction) {
        const position = mapper.position();
        if (isPast(position, hold) || isPast(position, place)) break;
      }
      const event = this.#events[this.#nextEvent++];
      if (event !== undefined) mapper.take(event);
    }
    const beats = this.#heartbeat.isDue() && !mapper.isInTransaction;
    if (beats) mapper.addEntry(this.#heartbeat.beat(), []);
    if (mapper.isReady || (!mapper.isEmpty && !mapper.isInTransaction)) return this.#mapped(mapper.finish());
    return this.#advanced(mapper);
  }

  /** A group without entries, when only the position has moved, and not too often. */
  #advanced(mapper: EventMapper): SourceBatch | undefined {
    if (!mapper.isEmpty || mapper.isInTransaction) return undefined;
    const position = mapper.position();
    if (this.#advancedTo?.file === position.file && this.#advancedTo.pos === position.pos) return undefined;
    if (Date.now() - this.#advancedAt < advanceMs) return undefined;
    return this.#mapped(mapper.finish());
  }

  #mapped({ group, position, state, uncertain }: MappedGroup): SourceBatch {
    this.#position = position;
    this.#advancedTo = position;
    this.#advancedAt = Date.now();
    return this.#batch(group, position, [...state, ...this.#desk.drainState(), ...uncertain.flatMap((table) => this.#doubt(table))]);
  }

  #batch(group: CommitGroup, position: StreamPosition, state: readonly StateRecord[]): SourceBatch {
    const all = [...this.#queued, ...state];
    this.#queued = [];
    this.#facts = factsOf(group) ?? this.#facts;
    const offset = writeOffset(position, { ...this.#facts, snapshot: this.#snapshot?.initial === true });
    return { group, offset: { ...offset, ...this.#monitor?.offset(), ...this.#desk.offset() }, state: all };
  }

  // --- signals

  /** What signals and notifications have for the log, and the snapshots that they begin. */
  async #actOnSignals(signal: AbortSignal): Promise<SourceBatch | undefined> {
    const desk = this.#desk;
    const place = this.#streamPlace();
    desk.incremental.isHeld = this.#snapshot !== undefined;
    if (place !== undefined) desk.work(place);
    if (this.#isAmidTransaction || this.#position === undefined) return undefined;
    desk.turn();
    if (desk.jump !== null) await this.#jump(desk.jump, signal);
    else if (this.#snapshot === undefined) {
      const blocking = desk.takeBlocking();
      if (blocking !== undefined) await this.#openBlocking(blocking, signal);
    }
    if (!desk.hasNews) return undefined;
    const { entries, state } = desk.drain();
    return this.#withEntries(entries, state);
  }

  /** A chunk of an incremental snapshot that has its place between two transactions. */
  #handOutChunk(): SourceBatch | undefined {
    const mapper = this.#mapper;
    const { incremental } = this.#desk;
    if (mapper === undefined || mapper.isInTransaction) return undefined;
    const position = mapper.position();
    if (position.file === '' || !incremental.isDue(position)) return undefined;
    mapper.addRows((event, rows) => incremental.handOut(event, rows));
    return this.#mapped(mapper.finish());
  }

  /** The stream ends, tables are read as in a first snapshot, then it goes on where it was. */
  async #openBlocking({ id, streamed, collections, conditions }: BlockingRequest, signal: AbortSignal): Promise<void> {
    const { models, log } = this.#parts;
    if (conditions.length > 0) {
      // A part of a table cannot take the place of all of it in a replica.
      log.warn({ id }, 'a blocking snapshot with conditions is taken as an incremental one');
      this.#desk.incremental.add(id, { kind: 'incremental', collections, conditions, surrogateKey: undefined }, models.captured());
      return;
    }
    const patterns = collections.map(compileJavaRegex);
    const tables = models.captured().filter((table) => patterns.some((pattern) => pattern.test(tableName(table))));
    if (tables.length === 0) {
      log.warn({ id, collections }, 'a blocking snapshot of no table');
      return;
    }
    await this.#stopStream();
    // Debezium comes to it at a transaction's GTID, before the thread is known.
    if (!streamed && this.#before !== undefined) this.#before = { ...this.#before, threadId: 0 };
    await this.#openSnapshot({ initial: false, anew: true, tables }, signal);
    this.#blocks = true;
    this.#tellsRows = true;
  }

  /** The stream goes on elsewhere. Who keeps tables gets them anew, since changes between the two places come twice or never. */
  async #jump(place: NamedPosition, signal: AbortSignal): Promise<void> {
    const { file, pos, gtids } = place;
    this.#desk.jump = null;
    const problem = await problemOfPosition(this.#parts.control, place, signal);
    if (problem !== undefined) {
      this.#parts.log.warn({ file, pos, gtids, problem }, 'the stream cannot go on where a signal says: it stays');
      return;
    }
    this.#parts.log.warn({ file, pos, gtids }, 'the stream goes on where a signal says');
    await this.#stopStream();
    this.#position = { file, pos, gtids, eventsDone: 0, ...(gtids === '' ? {} : { byGtids: true }) };
    const tables = this.#parts.models.captured();
    if (this.#parts.keepsTables?.() === false || tables.length === 0) return;
    await this.#snapshot?.[Symbol.asyncDispose]();
    this.#stepping = undefined;
    await this.#openSnapshot({ initial: false, anew: true, tables }, signal);
    this.#blocks = true;
  }

  async #stopStream(): Promise<void> {
    this.#before = this.#mapper?.lastTransaction ?? this.#before;
    await this.#closeStream();
    this.#mapper = undefined;
    this.#events = [];
    this.#nextEvent = 0;
  }

  // --- snapshots

  async #openSnapshot(
    how: { readonly initial: boolean; readonly anew: boolean; readonly tables?: readonly TableId[] },
    signal: AbortSignal,
  ): Promise<void> {
    const { config, settings, state, models, log } = this.#parts;
    this.#snapshot = await openSnapshot(
      {
        connector: config.name,
        connection: settings,
        threads: config.snapshotThreads,
        chunkRows: config.chunkRows,
        lockWaitMs: config.lockWaitMs,
        ...(config.lockWaitMs === 0 ? { method: 'lockFree' as const } : {}),
        initial: how.initial,
        ...(how.tables === undefined ? {} : { tables: how.tables }),
        state: how.anew ? new Map() : state.state(snapshotTopic),
        readTables: async (from, tables, inner) =>
          inSnapshotOrder(await models.readSchemas(from, tables, inner), (table) => config.tableRank(table)),
        selection: config.snapshotSelection,
        streamPlace: () => this.#streamPlace(),
        log,
      },
      signal,
    );
    if (this.#mapper !== undefined) this.#mapper.snapshot = this.#streamFilter(this.#snapshot);
  }

  /** The table's rows or columns are not certain from here on. */
  #doubt(table: TableId): readonly StateRecord[] {
    this.#parts.log.warn({ table: tableName(table) }, 'a table is not certain any more, it is read anew');
    const isKnown = this.#parts.models.find(table.database, table.table) !== undefined;
    if (isKnown) this.#snapshot?.tableChanged(table);
    return [this.#requests.doubt(table, isKnown)];
  }

  async #openRequested(requested: readonly TableId[] | undefined, signal: AbortSignal): Promise<void> {
    const { control, models } = this.#parts;
    const tables = requested === undefined ? undefined : await models.readSchemas(control, requested, signal);
    const absent = (requested ?? []).filter((table) => tables?.some((found) => tableName(found) === tableName(table)) !== true);
    for (const table of absent) models.setAbsent(table);
    this.#queued.push(...this.#requests.settle(absent));
    this.#mapper?.forgetTables();
    if (tables?.length === 0) return;
    await this.#openSnapshot({ initial: false, anew: true, ...(tables === undefined ? {} : { tables }) }, signal);
  }

  #streamFilter(snapshot: Snapshot): NonNullable<EventMapper['snapshot']> {
    return { filter: snapshot.filter, tellsDropped: !snapshot.initial, tableChanged: (table) => snapshot.tableChanged(table) };
  }

  /** Part of a transaction was taken, or is in the log already: nothing else may come between. */
  get #isAmidTransaction(): boolean {
    return this.#mapper?.isInTransaction === true || (this.#position !== undefined && this.#position.eventsDone > 0);
  }

  #streamPlace(): BinlogPlace | undefined {
    if (!this.#streams) return undefined;
    const position = this.#mapper?.position() ?? this.#position;
    // In a transaction the place is past its start: a view from before would not have it.
    return position !== undefined && this.#isAmidTransaction ? { file: position.file, pos: position.pos + 1 } : position;
  }

  #takeStep(): SnapshotStep | undefined {
    const result = this.#isAmidTransaction ? undefined : this.#stepping?.result;
    if (result === undefined) return undefined;
    this.#stepping = undefined;
    return valueOf(result);
  }

  async #fromStep(step: SnapshotStep, signal: AbortSignal): Promise<SourceBatch | undefined> {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return undefined;
    if (step.kind === 'begin') {
      this.#position ??= { ...step.position, eventsDone: 0 };
      this.#teller.begins(snapshot);
    }
    const told = await this.#teller.tellStep(step, { snapshot, position: this.#position, again: this.#tellsRows }, signal);
    const made = stepEntry(step, snapshot, { models: this.#parts.models, masks: this.#masks });
    tellStep(step, snapshot, { notifications: this.#desk.notifications, signalTable: this.#parts.config.signals.collection });
    if (made === undefined) return told.entries.length === 0 ? undefined : this.#withEntries(told.entries, told.state);
    this.#mapper?.forgetTables();
    const settled = made.entry.kind === 'snapshotBegin' ? this.#requests.settle(made.entry.tables) : [];
    const entry = made.entry.kind === 'snapshotBegin' && this.#tellsRows ? { ...made.entry, told: true } : made.entry;
    return this.#withEntries([...told.entries, entry], [...told.state, ...made.state, ...settled]);
  }

  /** When the stream has reached the newest chunk's place, the tables are a state that the source had. */
  #endSnapshot(): SourceBatch | undefined {
    const snapshot = this.#snapshot;
    const mapper = this.#mapper;
    const place = snapshot?.end;
    if (snapshot === undefined || mapper === undefined || place === undefined) return undefined;
    if (mapper.isInTransaction || !mapper.isEmpty || !isPast(mapper.position(), place)) return undefined;
    const tables = snapshot.tables.map(({ database, table }) => ({ database, table }));
    mapper.addEntry({ kind: 'snapshotEnd', snapshot: snapshot.id, tables }, snapshot.finish());
    mapper.snapshot = undefined;
    this.#finished = snapshot.progress().map((table) => ({ ...table, done: true }));
    this.#snapshot = undefined;
    this.#blocks = false;
    this.#tellsRows = false;
    this.#stepping = undefined;
    void snapshot[Symbol.asyncDispose]();
    return this.#mapped(mapper.finish());
  }

  #withEntries(entries: readonly Entry[], state: readonly StateRecord[]): SourceBatch {
    // Not the mapper's, which may have taken events that are not in the log yet.
    const position = this.#position;
    if (position === undefined) throw new MillraceError('INTERNAL', 'a snapshot without a position');
    const { file, pos, gtids } = position;
    if (this.#tellsRows && this.#before !== undefined && entries.some(({ kind }) => kind === 'chunk')) {
      this.#builder.beginTransaction(this.#before);
      this.#builder.addEvent(pos, this.#facts.seconds);
    }
    for (const entry of entries) this.#builder.addBarrier(entry);
    const group = this.#builder.build({ position: { file, pos, gtids }, open: false, file });
    return this.#batch(group, position, state);
  }
}

/** Before the server has told its file, which is so when the place is looked for by GTIDs, it is not. */
function isPast(position: BinlogPlace, place: BinlogPlace | undefined): boolean {
  return place !== undefined && position.file !== '' && comparePositions(position, place) >= 0;
}

function factsOf({ transactions, events }: CommitGroup): Pick<OffsetFacts, 'seconds' | 'serverId'> | undefined {
  const seconds = events.seconds[events.count - 1];
  return seconds === undefined ? undefined : { seconds, serverId: transactions.serverId[transactions.count - 1] };
}
