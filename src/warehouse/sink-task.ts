import { MillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { CutRequest, SinkOffset, SinkTask } from '../connect/tasks.ts';
import { tableName } from '../event/table-schema.ts';
import type { TableId } from '../event/table-schema.ts';
import type { FlushTimes } from './flush-clock.ts';
import { SourceLane } from './source-lane.ts';
import type { SinkStore } from './warehouse.ts';

export interface SinkTaskOptions {
  /** The connector's name. */
  readonly connector: string;
  readonly store: SinkStore;
  /** Whether the sink takes a topic: `prefix.database.table`. */
  readonly takes: (topic: string) => boolean;
  /** The topic of a table whose records the sink has taken, under whatever name. */
  readonly topicOf?: ((source: string, table: TableId) => string | undefined) | undefined;
  /** A flush begins at so many changes, or bytes of row images, of one source. */
  readonly flushRows: number;
  readonly flushBytes: number;
  /** Of rows of snapshots that the warehouse takes out of memory; then a flush begins at so many bytes. */
  readonly loadBytes?: number | undefined;
  /** Absent: what is pending is flushed at once. */
  readonly flushTimes?: FlushTimes | undefined;
  readonly log: Logger;
  /** A table (`database.table`) cannot go on from the log. */
  readonly onResync: (source: string, table: string, reason: string) => void;
}

/** A task that applies groups to a warehouse, each source in a lane and transactions of its own. */
export function createSinkTask(options: SinkTaskOptions): SinkTask {
  const { store } = options;
  const lanes = new Map<string, SourceLane>();
  let logId: string | undefined;

  const laneOf = (source: string): SourceLane => {
    const known = lanes.get(source);
    if (known !== undefined) return known;
    if (logId === undefined) throw new MillraceError('INTERNAL', 'The sink task was not opened');
    const topics = new Map<string, boolean>();
    const lane = new SourceLane({
      store,
      source,
      logId,
      stored: store.offsets.find((offset) => offset.source === source),
      accepts: ({ database, table }: TableId) => {
        if (options.topicOf?.(source, { database, table }) !== undefined) return true;
        const topic = `${source}.${database}.${table}`;
        let taken = topics.get(topic);
        if (taken === undefined) topics.set(topic, (taken = options.takes(topic)));
        return taken;
      },
      flushRows: options.flushRows,
      flushBytes: options.flushBytes,
      loadBytes: options.loadBytes,
      log: options.log.child({ source }),
      onResync: (table, reason) => options.onResync(source, table, reason),
    });
    lanes.set(source, lane);
    return lane;
  };

  const committed = (): readonly SinkOffset[] => [...lanes.values()].map((lane) => lane.stored).filter((offset) => offset !== undefined);

  return {
    async open(id, signal) {
      signal.throwIfAborted();
      for (const offset of store.offsets) if (offset.logId !== id) throw otherLog(options.connector, offset);
      logId = id;
      for (const { source } of store.offsets) laneOf(source);
      return committed();
    },
    passOver: (source, seq) => laneOf(source).passOver(seq),
    async put(group, signal) {
      await laneOf(group.source).put(group, signal);
    },
    async flush(signal) {
      signal.throwIfAborted();
      for (const lane of lanes.values()) await lane.flush();
      return committed();
    },
    notes: (source) => store.notes(source),
    committed,
    unfinished: (source) => store.unfinished(source).map(tableName),
    ...(options.flushTimes === undefined ? {} : { due: dueAt(lanes, options.flushTimes) }),
    applied: (source) => lanes.get(source)?.applied ?? 0,
    pending: () => [...lanes.values()].some((lane) => lane.pending),
    cutAt: <T>({ source, position }: CutRequest, pinned: () => Promise<T>, signal: AbortSignal) =>
      laneOf(source).requestCut(position, pinned, signal),
    hold: (source: string) => laneOf(source).hold(),
    async [Symbol.asyncDispose]() {
      await Promise.all([...lanes.values()].map((lane) => lane.close()));
    },
  };
}

/** Whether a lane wants a flush; the others' offsets go with it. */
function dueAt(lanes: ReadonlyMap<string, SourceLane>, times: FlushTimes): (atEnd: boolean) => boolean {
  return (atEnd) => [...lanes.values()].some((lane) => lane.isDue(times, atEnd));
}

function otherLog(connector: string, { source, seq }: SinkOffset): MillraceError {
  return new MillraceError('LOG_IDENTITY', `The replica of "${connector}" was fed with ${source} up to group ${seq} of another log`, {
    nextStep: 'Use the data folder that the replica belongs to, or copy the tables again: `millrace resync --all`.',
    context: { connector, source, seq },
  });
}
