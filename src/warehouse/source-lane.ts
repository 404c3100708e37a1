import { MillraceError } from '../base/errors.ts';
import { createExclusive } from '../base/exclusive.ts';
import { createWakeup } from '../base/abort.ts';
import type { Logger } from '../base/logger.ts';
import type { CommitGroup, Entry, SourcePosition } from '../connect/commit-group.ts';
import type { SinkGroup, SinkOffset } from '../connect/tasks.ts';
import { FlushClock, type FlushTimes } from './flush-clock.ts';
import { barriersOf, comparePositions, lastEventBefore, transactionsUpTo, type GroupSlice } from './group-slice.ts';
import { sameOffset } from './same-offset.ts';
import { acceptedChanges, UnitBuilder, type UnitBuilderOptions, type UnitLimits } from './unit-builder.ts';

export interface LaneOptions extends UnitBuilderOptions, UnitLimits {
  readonly logId: string;
  /** What the warehouse has stored for the source. */
  readonly stored: SinkOffset | undefined;
  readonly log: Logger;
  readonly onResync: (table: string, reason: string) => void;
}

interface PendingCut {
  readonly position: SourcePosition;
  /** Runs what the cut is for; never rejects. */
  run(): Promise<void>;
  refuse(error: MillraceError): void;
}

/** Units that are staged or committed at a time; while they are, the next one is filled. */
const maxInFlight = 2;
/** A release that is waited for is looked for as often. */
const lookMs = 60_000;

/**
 * One source's way into the warehouse: whole transactions are folded into a unit, units are committed one after another
 * while the next is filled. Calls are made one at a time, but for `hold` and `requestCut`.
 */
export class SourceLane {
  readonly #options: LaneOptions;
  #builder: UnitBuilder;
  /** What is durable; what the units on their way will make durable; what was added to the open unit. */
  #stored: SinkOffset | undefined;
  #scheduled: SinkOffset | undefined;
  #end: SinkOffset | undefined;
  /** Position up to which transactions are complete here. */
  #received: SourcePosition | undefined;
  /** Last event that was scheduled of a group that is scheduled in part. */
  #lastScheduledEvent: { readonly file: string; readonly pos: number } | undefined;
  #lastSeq: number;
  /** Begin of a transaction that goes on in the next group. */
  #tail: GroupSlice[] = [];
  #tailBytes = 0;
  /** The open unit holds parts of a transaction that has not ended. */
  #spilling = false;
  /** Units on their way, the oldest first. */
  #flights: Promise<void>[] = [];
  #failure: Error | undefined;
  readonly #clock = new FlushClock();
  #cuts: PendingCut[] = [];
  #holds = 0;
  readonly #released = createWakeup();
  readonly #inTurn = createExclusive();
  readonly #abort = new AbortController();

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#builder = new UnitBuilder(options);
    this.#stored = options.stored;
    this.#scheduled = options.stored;
    this.#end = options.stored;
    this.#received = options.stored?.position;
    this.#lastSeq = options.stored?.seq ?? 0;
  }

  get stored(): SinkOffset | undefined {
    return this.#stored;
  }

  /** Last group of which the warehouse has everything: after the stored one there may be some that hold nothing for it. */
  get applied(): number {
    const rests = this.#flights.length === 0 && this.#builder.isEmpty && this.#tail.length === 0;
    return (rests ? this.#end : this.#stored)?.seq ?? 0;
  }

  /** Whether a flush has something to do: also to throw what a unit on its way has failed with. */
  get pending(): boolean {
    return this.#failure !== undefined || (this.#holds === 0 && !sameOffset(this.#end, this.#stored));
  }

  /** Whether a flush is worth its cost. */
  isDue(times: FlushTimes, atEnd: boolean): boolean {
    return this.#failure !== undefined || (this.#holds === 0 && this.#clock.isDue(times, atEnd));
  }

  /** Nothing was put yet, and the next group is the one after this. */
  passOver(seq: number): void {
    this.#lastSeq = seq;
    this.#received = undefined;
  }

  async put(group: SinkGroup, signal: AbortSignal): Promise<void> {
    this.#throwIfFailed();
    while (this.#holds > 0 && this.#cuts.length === 0 && (this.#isFull() || this.#hasBarrier(group))) {
      await this.#released.wait(lookMs, signal);
    }
    await this.#exclusive(() => this.#take(group));
  }

  /** Commits what is complete, and waits until it is durable. */
  async flush(): Promise<void> {
    await this.#exclusive(async () => {
      this.#throwIfFailed();
      if (this.#holds === 0) await this.#flushAll();
    });
  }

  /** Nothing is committed, but for cuts, until the lane is released. */
  hold(): Disposable {
    this.#holds++;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#holds--;
        this.#released.wake();
      },
    };
  }

  async requestCut<T>(position: SourcePosition, pinned: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const cut: PendingCut = { position, run: () => pinned().then(resolve, reject), refuse: reject };
    const abort = (): void => {
      this.#cuts = this.#cuts.filter((other) => other !== cut);
      reject(signal.reason);
    };
    signal.throwIfAborted();
    signal.addEventListener('abort', abort, { once: true });
    this.#cuts.push(cut);
    this.#released.wake();
    try {
      await this.#exclusive(() => this.#cutInBuffer(cut));
      return await promise;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#cuts = this.#cuts.filter((other) => other !== cut);
    }
  }

  async close(): Promise<void> {
    this.#abort.abort(new MillraceError('ABORTED', 'The sink task is closed.'));
    await this.#inTurn(() => Promise.resolve());
    await Promise.all(this.#flights);
    await this.#builder.discard();
    for (const cut of this.#cuts) cut.refuse(new MillraceError('ABORTED', 'The sink task is closed.'));
  }

  async #take(group: SinkGroup): Promise<void> {
    this.#throwIfFailed();
    if (group.seq <= this.#lastSeq) return;
    if (group.seq !== this.#lastSeq + 1) {
      throw new MillraceError('INTERNAL', `Group ${group.seq} of ${group.source} came after group ${this.#lastSeq}`);
    }
    this.#lastSeq = group.seq;
    const count = group.transactions.count;
    const begin = this.#received;
    // a group that was cut, or that begins with transactions that were applied before the restart
    let from = this.#end?.seq === group.seq - 1 ? this.#end.applied : 0;
    if (from > 0) this.#lastScheduledEvent ??= lastEventBefore(group, from);
    const closed = group.open ? Math.max(0, count - 1) : count;
    for (const cut of this.#cuts) {
      if (comparePositions(group.position, cut.position) < 0) continue;
      const upTo = Math.min(closed, transactionsUpTo(group, cut.position));
      if (upTo > from) await this.#process({ group, from, to: upTo, begin });
      from = Math.max(from, upTo);
      await this.#runCut(cut);
    }
    if (closed > from || count === 0) await this.#process({ group, from, to: closed, begin });
    if (group.open) await this.#keepTail({ group, from: closed, to: count, begin });
    this.#received = group.position;
    if (this.#isFull() && this.#holds === 0) await this.#startFlush();
  }

  /** Adds transactions that have ended. What changes definitions or publishes tables is a unit of its own. */
  async #process(slice: GroupSlice): Promise<void> {
    const { group } = slice;
    await this.#closeTail();
    if (group.transactions.count === 0) {
      const barrier = this.#hasBarrier(group);
      if (barrier) await this.#startFlush();
      await this.#addComplete(slice);
      if (barrier) await this.#startFlush();
      return;
    }
    let from = slice.from;
    for (const at of barriersOf(slice, (entry) => this.#isBarrier(entry))) {
      if (at > from) await this.#addComplete({ ...slice, from, to: at });
      await this.#startFlush();
      await this.#addComplete({ ...slice, from: at, to: at + 1 });
      await this.#startFlush();
      from = at + 1;
    }
    if (slice.to > from) await this.#addComplete({ ...slice, from });
  }

  async #addComplete(slice: GroupSlice): Promise<void> {
    await this.#builder.add(slice, this.#abort.signal);
    this.#end = this.#offsetAt(slice);
    this.#clock.moved(!this.#builder.isEmpty);
    if (this.#spilling) {
      this.#spilling = false;
      await this.#startFlush();
    }
  }

  #offsetAt({ group, to, begin }: GroupSlice): SinkOffset {
    const { source, logId } = this.#options;
    const whole = to === group.transactions.count && !group.open;
    const micros = to === 0 ? 0 : (group.transactions.committedMicros[to - 1] ?? 0);
    return {
      source,
      logId,
      seq: whole ? group.seq : group.seq - 1,
      applied: whole ? 0 : to,
      position: whole ? group.position : begin,
      committedMs: Math.max(this.#end?.committedMs ?? 0, Math.floor(micros / 1000)),
    };
  }

  /** Keeps the begin of a transaction as it is; one that is too large for that is staged part by part. */
  async #keepTail(slice: GroupSlice): Promise<void> {
    this.#tail.push(slice);
    for (const entry of slice.group.entries) if (entry.kind === 'changes') this.#tailBytes += entry.batch.bytes.length;
    if (this.#tailBytes < this.#options.flushBytes) return;
    if (!this.#spilling) await this.#startFlush();
    this.#spilling = true;
    await this.#addTail();
    await this.#builder.seal(this.#abort.signal);
  }

  /** The transaction that began in earlier groups ends in this one. */
  async #closeTail(): Promise<void> {
    if (this.#tail.length === 0) return;
    if (!this.#spilling && this.#tail.some(({ group }) => this.#hasBarrier(group))) await this.#startFlush();
    await this.#addTail();
  }

  async #addTail(): Promise<void> {
    const tail = this.#tail;
    this.#tail = [];
    this.#tailBytes = 0;
    for (const slice of tail) await this.#builder.add(slice, this.#abort.signal);
  }

  #isBarrier(entry: Entry): boolean {
    if (entry.kind === 'schema') return acceptedChanges(entry.changes, this.#options.accepts).length > 0;
    return entry.kind === 'snapshotBegin' || entry.kind === 'snapshotEnd';
  }

  #hasBarrier(group: CommitGroup): boolean {
    return group.entries.some((entry) => this.#isBarrier(entry));
  }

  #isFull(): boolean {
    return this.#builder.isFull(this.#options);
  }

  /** Sends the open unit on its way, if it reaches beyond the last one, and begins another. */
  async #startFlush(): Promise<void> {
    if (this.#end === undefined || sameOffset(this.#end, this.#scheduled) || this.#spilling) return;
    while (this.#flights.length >= maxInFlight) await this.#flights[0];
    this.#throwIfFailed();
    const builder = this.#builder;
    const move = { before: this.#scheduled, after: this.#end };
    this.#builder = new UnitBuilder(this.#options);
    this.#scheduled = move.after;
    this.#clock.flushed();
    const last = builder.slices.at(-1);
    this.#lastScheduledEvent = move.after.applied === 0 || last === undefined ? undefined : lastEventBefore(last.group, last.to);
    const flight = this.#commit(builder, move, this.#flights.at(-1));
    this.#flights.push(flight);
    void flight.then(() => {
      this.#flights = this.#flights.filter((other) => other !== flight);
    });
  }

  /** Never rejects: a failure is kept, and thrown by the next call. */
  async #commit(
    builder: UnitBuilder,
    move: { before: SinkOffset | undefined; after: SinkOffset },
    before: Promise<void> | undefined,
  ): Promise<void> {
    const { signal } = this.#abort;
    try {
      const { rows } = builder;
      const begunMs = performance.now();
      await builder.seal(signal);
      const stagedMs = performance.now();
      await before;
      this.#throwIfFailed();
      const { resync } = await builder.commit(move, signal);
      this.#stored = move.after;
      this.#options.log.debug(
        { rows, seq: move.after.seq, stageMs: Math.round(stagedMs - begunMs), ms: Math.round(performance.now() - begunMs) },
        'committed',
      );
      for (const { table, reason } of resync) this.#options.onResync(table, reason);
    } catch (error) {
      this.#failure ??= asError(error);
      await builder.discard().catch(() => undefined);
    }
  }

  async #flushAll(): Promise<void> {
    await this.#startFlush();
    await this.#flights.at(-1);
    this.#throwIfFailed();
  }

  /** Commits up to the position, which everything before has been received of, and runs what the cut is for. */
  async #runCut(cut: PendingCut): Promise<void> {
    if (!this.#cuts.includes(cut)) return;
    this.#cuts = this.#cuts.filter((other) => other !== cut);
    if (this.#isPast(cut.position)) {
      cut.refuse(past(cut.position));
      return;
    }
    await this.#flushAll();
    await cut.run();
  }

  /** Serves a cut of which everything needed was received before it was asked for; else leaves it to later groups. */
  async #cutInBuffer(cut: PendingCut): Promise<void> {
    this.#throwIfFailed();
    const { position } = cut;
    if (this.#received === undefined || comparePositions(this.#received, position) < 0) return;
    if (this.#isPast(position)) {
      await this.#runCut(cut);
      return;
    }
    const { slices } = this.#builder;
    const parts = slices.map((slice) => Math.max(slice.from, Math.min(slice.to, transactionsUpTo(slice.group, position))));
    const split = slices.findIndex((slice, index) => (parts[index] ?? 0) < slice.to);
    if (split < 0) {
      await this.#runCut(cut);
      return;
    }
    // the unit holds transactions beyond the position: it is made anew, in two parts
    this.#builder.dropHeld();
    this.#end = this.#builder.taken === undefined ? this.#scheduled : this.#offsetAt(this.#builder.taken);
    for (const [index, slice] of slices.entries()) {
      const to = index < split ? slice.to : (parts[split] ?? 0);
      if (index > split) break;
      if (to > slice.from || slice.group.transactions.count === 0) await this.#addComplete({ ...slice, to });
    }
    await this.#runCut(cut);
    for (const [index, slice] of slices.entries()) {
      if (index < split) continue;
      const from = index === split ? (parts[split] ?? 0) : slice.from;
      if (slice.to > from || slice.group.transactions.count === 0) await this.#addComplete({ ...slice, from });
    }
  }

  /** Whether transactions beyond the position are committed, on their way, or in a unit that cannot be split. */
  #isPast(position: SourcePosition): boolean {
    const scheduled = this.#scheduled?.position;
    if (scheduled !== undefined && comparePositions(scheduled, position) > 0) return true;
    const event = this.#lastScheduledEvent;
    return (event !== undefined && comparePositions(event, position) >= 0) || this.#builder.hasTakenBeyond(position, this.#received);
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#abort.signal.throwIfAborted();
  }

  /** One after the other; after a failure nothing is taken any more. */
  async #exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      try {
        return await work();
      } catch (error) {
        this.#failure ??= asError(error);
        throw error;
      }
    });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new MillraceError('INTERNAL', String(error), { cause: error });
}

function past({ file, pos }: SourcePosition): MillraceError {
  return new MillraceError('VERIFY_UNDECIDED', `The replica is past ${file}:${pos} already`, { retriable: true });
}
