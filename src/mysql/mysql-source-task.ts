import { sleep } from '../base/abort.ts';
import { MillraceError } from '../base/errors.ts';
import type { ConnectionSettings } from '../binlog/connection.ts';
import type { Entry } from '../connect/commit-group.ts';
import type { SourceBatch, SourceProgress, SourceSignal, SourceTask, StateRecord } from '../connect/tasks.ts';
import type { TableId } from '../event/table-schema.ts';
import { tableName } from '../event/table-schema.ts';
import type { Charsets } from './charset.ts';
import type { EventMapper } from './event-mapper.ts';
import type { TransactionHeader } from './group-builder.ts';
import { Heartbeat } from './heartbeat.ts';
import { createRowMasks } from './mask-rows.ts';
import type { FindRowMask } from './mask-rows.ts';
import { stepEntry } from './snapshot-entry.ts';
import type { EntryWithState } from './snapshot-entry.ts';
import type { SnapshotStep } from './snapshot-contract.ts';
import { createSnapshotRequests, resyncTopic } from './snapshot-requests.ts';
import type { SnapshotRequests } from './snapshot-requests.ts';
import { signalTopic } from './signals/incremental-state.ts';
import type { BlockingRequest } from './signals/incremental-state.ts';
import { tellStart, tellStep } from './signals/initial-notices.ts';
import { SignalDesk } from './signals/signal-desk.ts';
import { problemOfPosition } from './signals/named-position.ts';
import type { NamedPosition } from './signals/named-position.ts';
import { SnapshotTeller } from './snapshot-teller.ts';
import type { BinlogPlace } from './snapshot-table.ts';
import { SourceBatches } from './source-batches.ts';
import { SourceSnapshot } from './source-snapshot.ts';
import type { SnapshotRequest } from './source-snapshot.ts';
import { decideStart } from './source-start.ts';
import type { StartOptions } from './source-start.ts';
import { SourceStream } from './source-stream.ts';
import type { MappedGroup } from './stream-contract.ts';

/** How often a source that does not stream looks for requests. */
const idleMs = 1000;

/** What a task works with, opened. */
interface SourceTaskParts extends StartOptions {
  readonly keepsTables?: () => boolean;
  readonly run?: string;
  readonly settings: ConnectionSettings;
  readonly charsets: Charsets;
}

/** Decides what comes next: a snapshot's step, what the stream has, what signals ask for. */
export class MysqlSourceTask implements SourceTask {
  readonly #parts: SourceTaskParts;
  readonly #stream: SourceStream;
  readonly #snapshot: SourceSnapshot;
  readonly #batches: SourceBatches;
  readonly #requests: SnapshotRequests;
  /** What the first group of a source without a snapshot holds. */
  #first: EntryWithState | undefined;
  readonly #heartbeat: Heartbeat;
  readonly #masks: FindRowMask | undefined;
  readonly #desk: SignalDesk;
  readonly #teller: SnapshotTeller;
  #hasWaited = false;
  /** As of `SourceStart`, until the stream is there. */
  #catchUp: BinlogPlace | undefined;
  /** The last transaction before the stream was stopped. */
  #before: TransactionHeader | undefined;
  readonly #closing = new AbortController();
  #inner: { readonly outer: AbortSignal; readonly inner: AbortSignal } | undefined;

  constructor(parts: SourceTaskParts) {
    this.#parts = parts;
    const { config, state, settings, models, log, run } = parts;
    this.#requests = createSnapshotRequests(config.name, state.state(resyncTopic));
    this.#heartbeat = new Heartbeat(config, log);
    this.#masks = createRowMasks(config.rules);
    this.#desk = new SignalDesk({
      connector: config.name,
      topicPrefix: config.topicPrefix,
      config: config.signals,
      connection: settings,
      models,
      masks: this.#masks,
      state: state.state(signalTopic),
      offset: state.offset,
      log,
    });
    this.#teller = new SnapshotTeller(parts);
    this.#snapshot = new SourceSnapshot({ config, settings, state, models, streamPlace: () => this.#streamPlace(), log });
    const isInitial = (): boolean => this.#snapshot.current?.initial === true;
    this.#batches = new SourceBatches({ config, state, run, isInitial, signals: () => this.#desk.offset() });
    this.#stream = new SourceStream({ ...parts, masks: this.#masks, monitor: this.#batches.monitor, watcher: this.#desk });
  }

  async start(signal: AbortSignal): Promise<void> {
    const { position, first, queued, snapshot, doubted = [], catchUp } = await decideStart(this.#parts, signal);
    this.#catchUp = catchUp;
    this.#batches.startAt(position);
    this.#first = first;
    this.#batches.queue([...queued, ...doubted.map((table) => this.#requests.doubt(table, true))]);
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
    this.#batches.clear();
    this.#stream.mapper?.clear();
    for (;;) {
      signal.throwIfAborted();
      const batch = await this.#pollOnce(signal);
      if (batch !== undefined) return batch;
    }
  }

  requestSnapshot(tables: readonly string[]): readonly StateRecord[] {
    return this.#requests.add(tables);
  }

  signal(signal: SourceSignal): void {
    this.#desk.take(signal);
  }

  progress(): SourceProgress {
    return { snapshot: this.#snapshot.progress, filteredEvents: this.#stream.filteredEvents };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new MillraceError('ABORTED', 'the source was closed'));
    await this.#stream[Symbol.asyncDispose]();
    await this.#desk[Symbol.asyncDispose]();
    await this.#snapshot[Symbol.asyncDispose]();
    await this.#parts.control[Symbol.asyncDispose]();
  }

  /** One turn: a snapshot's step, or what the stream has, or a wait for either. */
  async #pollOnce(signal: AbortSignal): Promise<SourceBatch | undefined> {
    const first = this.#first;
    if (first !== undefined) {
      this.#first = undefined;
      const told = await this.#teller.tellAll(this.#batches.position, { last: true }, signal);
      return this.#batches.ofEntries([...told.entries, first.entry], [...told.state, ...first.state]);
    }
    const signaled = await this.#actOnSignals(signal);
    if (signaled !== undefined) return signaled;
    if (this.#snapshot.current === undefined && !this.#isAmidTransaction && this.#hasCaughtUp) {
      const requested = this.#requests.take(this.#parts.keepsTables ?? (() => true));
      if (requested !== undefined) await this.#openRequested(requested.tables, signal);
    }
    const inner = this.#innerSignal(signal);
    const stepping = this.#snapshot.arrival(inner);
    const step = this.#isAmidTransaction ? undefined : this.#snapshot.takeStep();
    if (step !== undefined) {
      const batch = await this.#fromStep(step, signal);
      if (batch !== undefined) return batch;
    }
    if (this.#streams) {
      if (!this.#hasWaited) await this.#waitFirst(this.#parts.config.streamingDelayMs, 'streaming.delay.ms', signal);
      this.#hasWaited = true;
      const mapper = await this.#stream.open(this.#batches.position, () => this.#snapshot.filter, signal);
      if (this.#snapshot.endAt(mapper) || this.#handsOutChunk(mapper)) return this.#mapped(mapper.finish());
      const batch = this.#fromStream(mapper);
      await this.#heartbeat.act(this.#parts.control, signal);
      if (batch !== undefined) return batch;
    }
    await this.#waitForMore(step === undefined ? stepping : this.#snapshot.arrival(inner), inner);
    return undefined;
  }

  /** The first snapshot is read before the stream starts; any other one beside it, and once it runs it runs. */
  get #streams(): boolean {
    const { current, blocks } = this.#snapshot;
    if (this.#batches.position === undefined) return false;
    if (current === undefined) return this.#parts.config.snapshotMode !== 'initial_only';
    if (this.#stream.isOpen || current.end !== undefined) return true;
    return !blocks && !current.initial;
  }

  get #hasCaughtUp(): boolean {
    if (this.#catchUp !== undefined && this.#streams && this.#batches.isBefore(this.#catchUp)) return false;
    this.#catchUp = undefined;
    return true;
  }

  async #waitForMore(stepping: Promise<void> | undefined, inner: AbortSignal): Promise<void> {
    const waits: Promise<unknown>[] = [];
    if (stepping !== undefined && !this.#isAmidTransaction) waits.push(stepping);
    const events = this.#stream.arrival(inner);
    if (events !== undefined) waits.push(events);
    const { working } = this.#desk.incremental;
    if (working !== undefined) waits.push(working);
    // A source that only copies has nothing to wait for any more.
    if (waits.length === 0) waits.push(sleep(idleMs, inner));
    await Promise.race(waits);
    this.#stream.receive();
  }

  /** Aborted with the caller's signal, and when the task is closed. */
  #innerSignal(signal: AbortSignal): AbortSignal {
    if (this.#inner?.outer !== signal) this.#inner = { outer: signal, inner: AbortSignal.any([signal, this.#closing.signal]) };
    return this.#inner.inner;
  }

  // --- the stream

  #fromStream(mapper: EventMapper): SourceBatch | undefined {
    const { current } = this.#snapshot;
    this.#stream.map(mapper, current?.hold, current?.end);
    const beats = this.#heartbeat.isDue() && !mapper.isInTransaction;
    if (beats) mapper.addEntry(this.#heartbeat.beat(), []);
    const hasGroup = mapper.isReady || (!mapper.isEmpty && !mapper.isInTransaction);
    // A group without entries, when only the position has moved, and not too often.
    const isAdvanced = mapper.isEmpty && !mapper.isInTransaction && this.#batches.isAdvanced(mapper.position());
    return hasGroup || isAdvanced ? this.#mapped(mapper.finish()) : undefined;
  }

  #mapped(mapped: MappedGroup): SourceBatch {
    const doubts = mapped.uncertain.map((table) => this.#doubt(table));
    return this.#batches.ofStream(mapped, [...mapped.state, ...this.#desk.drainState(), ...doubts]);
  }

  /** The table's rows or columns are not certain from here on. */
  #doubt(table: TableId): StateRecord {
    this.#parts.log.warn({ table: tableName(table) }, 'a table is not certain any more, it is read anew');
    const isKnown = this.#parts.models.find(table.database, table.table) !== undefined;
    if (isKnown) this.#snapshot.current?.tableChanged(table);
    return this.#requests.doubt(table, isKnown);
  }

  /** Part of a transaction was taken, or is in the log already: nothing else may come between. */
  get #isAmidTransaction(): boolean {
    const { position } = this.#batches;
    return this.#stream.mapper?.isInTransaction === true || (position !== undefined && position.eventsDone > 0);
  }

  #streamPlace(): BinlogPlace | undefined {
    if (!this.#streams) return undefined;
    const position = this.#stream.mapper?.position() ?? this.#batches.position;
    // In a transaction the place is past its start: a view from before would not have it.
    return position !== undefined && this.#isAmidTransaction ? { file: position.file, pos: position.pos + 1 } : position;
  }

  async #stopStream(): Promise<void> {
    this.#before = (await this.#stream.stop()) ?? this.#before;
  }

  // --- signals

  /** What signals and notifications have for the log, and the snapshots that they begin. */
  async #actOnSignals(signal: AbortSignal): Promise<SourceBatch | undefined> {
    const desk = this.#desk;
    const place = this.#streamPlace();
    desk.incremental.isHeld = this.#snapshot.current !== undefined;
    if (place !== undefined) desk.work(place);
    if (this.#isAmidTransaction || this.#batches.position === undefined) return undefined;
    desk.turn();
    if (desk.jump !== null) await this.#jump(desk.jump, signal);
    else if (this.#snapshot.current === undefined) {
      const { blocking } = desk;
      if (blocking !== undefined) await this.#openBlocking(blocking, signal);
    }
    if (!desk.hasNews) return undefined;
    const { entries, state } = desk.drain();
    return this.#ofEntries(entries, state);
  }

  /** Whether a chunk of an incremental snapshot has its place between two transactions, here. */
  #handsOutChunk(mapper: EventMapper): boolean {
    const { incremental } = this.#desk;
    if (mapper.isInTransaction) return false;
    const position = mapper.position();
    if (position.file === '' || !incremental.isDue(position)) return false;
    mapper.addRows((event, rows) => incremental.handOut(event, rows));
    return true;
  }

  /** The stream ends, tables are read as in a first snapshot, then it goes on where it was. */
  async #openBlocking(blocking: BlockingRequest, signal: AbortSignal): Promise<void> {
    const { id, streamed } = blocking;
    const tables = this.#desk.wholeTables(blocking);
    if (tables.length === 0) return;
    await this.#stopStream();
    // Debezium comes to it at a transaction's GTID, before the thread is known.
    if (!streamed && this.#before !== undefined) this.#before = { ...this.#before, threadId: 0 };
    const reason = `the signal ${id} asks for it`;
    await this.#openSnapshot({ reason, initial: false, anew: true, tables, blocks: true, tellsRows: true }, signal);
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
    this.#batches.moveTo({ file, pos, gtids, eventsDone: 0, ...(gtids === '' ? {} : { byGtids: true }) });
    const tables = this.#parts.models.captured();
    if (this.#parts.keepsTables?.() === false || tables.length === 0) return;
    // Durable with the place: a source that ends before the snapshot has begun takes it at its next start.
    this.#batches.queue(tables.map((table) => this.#requests.doubt(table, true)));
    await this.#openSnapshot({ reason: 'a signal has moved the stream', initial: false, anew: true, tables, blocks: true }, signal);
  }

  // --- snapshots

  async #openSnapshot(request: SnapshotRequest, signal: AbortSignal): Promise<void> {
    await this.#snapshot.open(request, signal);
    const { mapper } = this.#stream;
    if (mapper !== undefined) mapper.snapshot = this.#snapshot.filter;
  }

  async #openRequested(requested: readonly TableId[] | undefined, signal: AbortSignal): Promise<void> {
    const { control, models } = this.#parts;
    const tables = requested === undefined ? undefined : await models.readSchemas(control, requested, signal);
    const absent = (requested ?? []).filter((table) => tables?.some((found) => tableName(found) === tableName(table)) !== true);
    for (const table of absent) models.setAbsent(table);
    this.#batches.queue(this.#requests.settle(absent));
    this.#stream.mapper?.forgetTables();
    if (tables?.length === 0) return;
    const request = { reason: 'tables are to be read anew', initial: false, anew: true };
    await this.#openSnapshot(tables === undefined ? request : { ...request, tables }, signal);
  }

  async #fromStep(step: SnapshotStep, signal: AbortSignal): Promise<SourceBatch | undefined> {
    const { current: snapshot, tellsRows } = this.#snapshot;
    if (snapshot === undefined) return undefined;
    if (step.kind === 'begin') {
      if (this.#batches.position === undefined) this.#batches.moveTo({ ...step.position, eventsDone: 0 });
      this.#teller.begins(snapshot);
    }
    const told = await this.#teller.tellStep(step, { snapshot, position: this.#batches.position, again: tellsRows }, signal);
    const made = stepEntry(step, snapshot, { models: this.#parts.models, masks: this.#masks });
    tellStep(step, snapshot, { notifications: this.#desk.notifications, signalTable: this.#parts.config.signals.collection });
    if (made === undefined) return told.entries.length === 0 ? undefined : this.#ofEntries(told.entries, told.state);
    this.#stream.mapper?.forgetTables();
    const isWhole = step.kind === 'begin' && step.whole;
    const settled = made.entry.kind === 'snapshotBegin' ? this.#requests.settle(made.entry.tables, isWhole) : [];
    const entry = made.entry.kind === 'snapshotBegin' && tellsRows ? { ...made.entry, told: true } : made.entry;
    if (step.kind === 'begin' && tellsRows) this.#desk.dropBlocking();
    return this.#ofEntries([...told.entries, entry], [...told.state, ...made.state, ...settled, ...this.#desk.drainState()]);
  }

  #ofEntries(entries: readonly Entry[], state: readonly StateRecord[]): SourceBatch {
    return this.#batches.ofEntries(entries, state, this.#snapshot.tellsRows ? this.#before : undefined);
  }
}
