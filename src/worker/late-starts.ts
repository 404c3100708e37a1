import type { Logger } from '../base/logger.ts';
import type { CommitGroup } from '../connect/commit-group.ts';
import type { GroupRange } from '../log/log.ts';

/**
 * What a sink does when the log no longer has the group that it needs next: it fails; it takes what there is, as Kafka's
 * consumers do; or, keeping tables, it begins with a snapshot of all of them.
 */
export type StartGone = 'fail' | 'earliest' | 'snapshot';

export interface LateStartsOptions {
  readonly startGone: (source: string) => StartGone;
  /** Asks a source for a snapshot of all its tables. */
  readonly ask: (source: string, reason: string) => void;
  readonly logger: Logger;
}

/** The source may be starting, too. */
const firstMs = 1000;
/** Long enough for a snapshot that was asked for to begin: asked for twice, the tables are copied twice. */
const againMs = 15_000;

const reason = 'the log no longer has what a sink begins with';

/** The sources of a sink that it joins late: their groups are passed over until a snapshot of all tables begins. */
export class LateStarts {
  readonly #options: LateStartsOptions;
  /** When to ask, by source. */
  readonly #waiting = new Map<string, number>();

  constructor(options: LateStartsOptions) {
    this.#options = options;
  }

  /** The group to read after, of a sink that has all up to `seq`. */
  begin(source: string, seq: number, range: GroupRange | undefined): number {
    this.#waiting.delete(source);
    if (range === undefined || seq >= range.first - 1) return seq;
    const how = this.#options.startGone(source);
    if (how === 'fail') return seq;
    const { logger } = this.#options;
    if (how === 'earliest') {
      logger.warn({ source, from: seq + 1, first: range.first }, 'the log no longer has the next records, the sink goes on with its first');
    } else {
      logger.warn({ source, from: seq + 1, first: range.first }, `${reason}: its tables are copied anew`);
      this.#waiting.set(source, performance.now() + firstMs);
    }
    return range.first - 1;
  }

  /** Whether the group comes before the snapshot that the sink begins with. */
  passes({ source, entries }: CommitGroup): boolean {
    if (!this.#waiting.has(source)) return false;
    return !entries.some((entry) => entry.kind === 'snapshotBegin' && entry.whole === true);
  }

  /** The next group is the one that the sink begins with; false: it has begun. */
  starts(source: string): boolean {
    return this.#waiting.delete(source);
  }

  /** The log has no more groups of the source at the moment, and none of them was such a snapshot. */
  remind(source: string): void {
    const dueMs = this.#waiting.get(source);
    if (dueMs === undefined || performance.now() < dueMs) return;
    this.#waiting.set(source, performance.now() + againMs);
    this.#options.ask(source, reason);
  }
}
