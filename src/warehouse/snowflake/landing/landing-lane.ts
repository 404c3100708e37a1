import { failpoint } from '../../../base/failpoint.ts';
import type { Logger } from '../../../base/logger.ts';
import { newestCommitMs, type CommitGroup } from '../../../connect/commit-group.ts';
import type { ConnectRecord } from '../../../connect/record.ts';
import type { SinkOffset } from '../../../connect/tasks.ts';
import type { LandingFormat } from './landing-format.ts';
import { LandedRows } from './landed-rows.ts';
import type { LandingReplicas } from './landing-replicas.ts';
import type { LandingIntake, TopicEmptied } from './landing-task.ts';
import type { LandingWarehouse } from './landing-warehouse.ts';
import { placeOfRecord } from './position-epochs.ts';
import { isTruncation } from './replica-table.ts';

/** When rows go to Snowflake: whichever comes first. */
export interface BufferLimits {
  readonly flushMs: number;
  readonly rows: number;
  readonly bytes: number;
}

export interface LaneOptions {
  readonly source: string;
  readonly logId: string;
  readonly stored: SinkOffset | undefined;
  readonly warehouse: LandingWarehouse;
  readonly intake: LandingIntake;
  readonly takes: (topic: string) => boolean;
  readonly format: LandingFormat;
  /** Absent: nothing but landing tables. */
  readonly replicas: LandingReplicas | undefined;
  readonly limits: BufferLimits;
  readonly log: Logger;
}

/** How often an offset is stored that has moved alone, which lets the log forget what lies before it. */
const idleMs = 6 * 3_600_000;

/**
 * One source's way into landing tables. `applied` of its offset counts the records of the group after `seq` that have landed:
 * a change of a table's schema, or a full buffer, may lie within a group.
 */
export class LandingLane {
  readonly #options: LaneOptions;
  #stored: SinkOffset | undefined;
  #rows = new LandedRows();
  /** Where the rows put so far end; undefined: nothing came. */
  #reached: SinkOffset | undefined;
  #movedMs = performance.now();
  /** A group is open whose transaction goes on in the next. */
  #open = false;
  /** There is no later: what waits for its time is done now. */
  #ending = false;
  #changedMs = Infinity;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#stored = options.stored;
  }

  get stored(): SinkOffset | undefined {
    return this.#stored;
  }

  get pending(): boolean {
    return this.#reached !== undefined || (this.#options.replicas?.isBehind ?? false);
  }

  isDue(atEnd: boolean): boolean {
    const { limits, replicas } = this.#options;
    this.#ending ||= atEnd;
    const now = performance.now();
    if (this.#reached !== undefined && now - this.#movedMs >= idleMs) return true;
    return now - this.#changedMs >= limits.flushMs || (atEnd && this.#changedMs < Infinity) || (replicas?.isDue(atEnd) ?? false);
  }

  async put(group: CommitGroup, signal: AbortSignal): Promise<void> {
    const { intake, takes, limits, source, logId } = this.#options;
    const stored = this.#stored;
    const skipped = stored?.seq === group.seq - 1 ? stored.applied : 0;
    const at = (applied: number): SinkOffset => ({
      source,
      logId,
      seq: group.seq - 1,
      applied,
      position: this.#reached?.position ?? stored?.position,
      committedMs: this.#reached?.committedMs ?? stored?.committedMs ?? 0,
    });
    let index = 0;
    for (const each of await intake.take(group, signal)) {
      if (++index <= skipped) continue;
      if (each.kind === 'emptied') await this.#empty(each, at(index), signal);
      else if (each.record !== null && takes(each.record.topic)) {
        await this.#add(each.record, each.offset, { before: at(index - 1), after: at(index), signal });
      }
      if (this.#rows.count < limits.rows && this.#rows.bytes < limits.bytes) continue;
      this.#reached = at(index);
      await this.#commit(signal);
    }
    this.#open = group.open;
    const committedMs = Math.max(newestCommitMs(group), this.#reached?.committedMs ?? stored?.committedMs ?? 0);
    this.#reached = { source, logId, seq: group.seq, applied: 0, position: group.position, committedMs };
  }

  async flush(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#reached !== undefined) await this.#commit(signal);
    // half a transaction is no state that the source had
    if (!this.#open) await this.#options.replicas?.merge(this.#ending, signal);
  }

  /** `before` and `after`: the offset without the record, and with it. */
  async #add(
    record: ConnectRecord,
    offset: number,
    { before, after, signal }: { readonly before: SinkOffset; readonly after: SinkOffset; readonly signal: AbortSignal },
  ): Promise<void> {
    const { format, replicas, warehouse } = this.#options;
    const change = replicas?.changeOf(record);
    if (replicas !== undefined && change !== undefined) {
      if (change.before !== undefined) {
        // what has come under the old definitions lands, and is merged by them
        this.#reached = before;
        await this.#commit(signal);
      }
      const draft = format.rowOf(record, { offset, epoch: 0 });
      if (draft !== undefined) await warehouse.prepare([draft]);
      await replicas.change(record.topic, change, (notes) => this.#moveWith(notes), signal);
    }
    const row = format.rowOf(record, { offset, epoch: replicas?.epochOf(record) ?? 0 });
    if (row === undefined) return;
    if (this.#rows.count === 0) this.#changedMs = performance.now();
    this.#rows.add(row, { seq: after.seq + 1, index: after.applied });
    replicas?.landed(row.place);
    const place = isTruncation(record) ? placeOfRecord(record) : undefined;
    if (place !== undefined) await this.#empty({ topic: record.topic, place }, after, signal);
  }

  /** What came before is merged, and gone. */
  async #empty({ topic, place }: Pick<TopicEmptied, 'topic' | 'place'>, reached: SinkOffset, signal: AbortSignal): Promise<void> {
    const { replicas, takes } = this.#options;
    if (replicas === undefined || !takes(topic)) return;
    this.#reached = reached;
    await this.#commit(signal);
    await replicas.truncate(topic, place, signal);
  }

  async #commit(signal: AbortSignal): Promise<void> {
    const after = this.#reached;
    if (after === undefined) return;
    const rows = this.#rows;
    signal.throwIfAborted();
    if (rows.count > 0 || this.#stored === undefined || !sameOffset(this.#stored, after)) {
      await this.#options.warehouse.land(rows, { after, notes: this.#options.replicas?.takeNotes() }, signal);
      failpoint('landed');
    }
    this.#rows = new LandedRows();
    this.#changedMs = Infinity;
    this.#movedMs = performance.now();
    this.#stored = after;
    this.#reached = undefined;
  }

  #moveWith(notes: ReadonlyMap<string, string>): { readonly after: SinkOffset; readonly notes: ReadonlyMap<string, string> } {
    const { source, logId } = this.#options;
    const after = this.#stored ?? { source, logId, seq: 0, applied: 0, position: undefined, committedMs: 0 };
    return { after, notes };
  }
}

function sameOffset(a: SinkOffset, b: SinkOffset): boolean {
  return a.seq === b.seq && a.applied === b.applied;
}
