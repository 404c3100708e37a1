import type { Logger } from '../base/logger.ts';
import type { ConnectionSettings } from '../binlog/connection.ts';
import type { SourceState, TableProgress } from '../connect/tasks.ts';
import type { TableId } from '../event/table-schema.ts';
import type { EventMapper } from './event-mapper.ts';
import { pending, valueOf } from './pending.ts';
import type { Pending } from './pending.ts';
import type { StreamFilter } from './rows-mapper.ts';
import { openSnapshot } from './snapshot.ts';
import type { Snapshot, SnapshotStep } from './snapshot-contract.ts';
import { inSnapshotOrder } from './snapshot-order.ts';
import { snapshotTopic } from './snapshot-state.ts';
import type { BinlogPlace } from './snapshot-table.ts';
import type { SourceConfig } from './source-config.ts';
import type { SourceModels } from './source-models.ts';
import { isPast } from './source-stream.ts';

export interface SourceSnapshotOptions {
  readonly config: SourceConfig;
  readonly settings: ConnectionSettings;
  readonly state: SourceState;
  readonly models: SourceModels;
  /** As of `SnapshotOptions`. */
  readonly streamPlace: () => BinlogPlace | undefined;
  readonly log: Logger;
}

export interface SnapshotRequest {
  /** Why it is taken, for people. */
  readonly reason: string;
  /** The source had no earlier state of the tables. */
  readonly initial: boolean;
  /** Whatever is stored of an unfinished one does not count. */
  readonly anew: boolean;
  /** Absent: all that are captured. */
  readonly tables?: readonly TableId[];
  /** The stream stands until it is read. */
  readonly blocks?: boolean;
  /** Its rows are records, though it is not the first. */
  readonly tellsRows?: boolean;
}

/** The snapshot that a source takes at the moment, if any. */
export class SourceSnapshot implements AsyncDisposable {
  readonly #options: SourceSnapshotOptions;
  #current: Snapshot | undefined;
  #request: SnapshotRequest | undefined;
  #begunMs = 0;
  /** How the last one ended. */
  #finished: readonly TableProgress[] = [];
  #stepping: Pending<SnapshotStep> | undefined;

  constructor(options: SourceSnapshotOptions) {
    this.#options = options;
  }

  get current(): Snapshot | undefined {
    return this.#current;
  }

  get blocks(): boolean {
    return this.#request?.blocks === true;
  }

  get tellsRows(): boolean {
    return this.#request?.tellsRows === true;
  }

  get progress(): readonly TableProgress[] {
    return this.#current?.progress() ?? this.#finished;
  }

  /** What becomes of the stream's changes while it is taken. */
  get filter(): StreamFilter | undefined {
    const snapshot = this.#current;
    if (snapshot === undefined) return undefined;
    return { filter: snapshot.filter, tellsDropped: !snapshot.initial, tableChanged: (table) => snapshot.tableChanged(table) };
  }

  /** Takes the place of one that is not over. */
  async open(request: SnapshotRequest, signal: AbortSignal): Promise<void> {
    const { config, settings, state, models, streamPlace, log } = this.#options;
    await this[Symbol.asyncDispose]();
    this.#stepping = undefined;
    const { reason, initial, anew, tables } = request;
    log.info({ mode: config.snapshotMode, reason, tables: tables?.length ?? 'all' }, 'a snapshot of tables is taken');
    this.#current = await openSnapshot(
      {
        connector: config.name,
        connection: settings,
        threads: config.snapshotThreads,
        chunkRows: config.chunkRows,
        lockWaitMs: config.lockWaitMs,
        ...(config.lockWaitMs === 0 ? { method: 'lockFree' as const } : {}),
        initial,
        ...(tables === undefined ? {} : { tables }),
        state: anew ? new Map() : state.state(snapshotTopic),
        readTables: async (from, ids, inner) =>
          inSnapshotOrder(await models.readSchemas(from, ids, inner), (table) => config.tableRank(table)),
        selection: config.snapshotSelection,
        streamPlace,
        log,
      },
      signal,
    );
    this.#request = request;
    this.#begunMs = performance.now();
  }

  /**
   * Settles when there is a step to take; undefined: there is none to come. After its end a snapshot has another one only when
   * a table changes, which unsets the end.
   */
  arrival(signal: AbortSignal): Promise<void> | undefined {
    const snapshot = this.#current;
    if (snapshot !== undefined && snapshot.end === undefined) this.#stepping ??= pending(snapshot.next(signal));
    return this.#stepping?.settled;
  }

  /** The step that has come, if one has. */
  takeStep(): SnapshotStep | undefined {
    const result = this.#stepping?.result;
    if (result === undefined) return undefined;
    this.#stepping = undefined;
    return valueOf(result);
  }

  /** Whether the stream has reached the newest chunk's place: then the tables are a state that the source had, and it ends. */
  endAt(mapper: EventMapper): boolean {
    const snapshot = this.#current;
    const place = snapshot?.end;
    if (snapshot === undefined || place === undefined) return false;
    if (mapper.isInTransaction || !mapper.isEmpty || !isPast(mapper.position(), place)) return false;
    const tables = snapshot.tables.map(({ database, table }) => ({ database, table }));
    mapper.addEntry({ kind: 'snapshotEnd', snapshot: snapshot.id, tables }, snapshot.finish());
    mapper.snapshot = undefined;
    this.#finished = snapshot.progress().map((table) => ({ ...table, done: true }));
    const rows = this.#finished.reduce((sum, table) => sum + table.rows, 0);
    const ms = Math.round(performance.now() - this.#begunMs);
    this.#options.log.info({ tables: tables.length, rows, ms }, 'the snapshot has ended');
    this.#current = undefined;
    this.#request = undefined;
    this.#stepping = undefined;
    void snapshot[Symbol.asyncDispose]();
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const snapshot = this.#current;
    this.#current = undefined;
    await snapshot?.[Symbol.asyncDispose]();
  }
}
