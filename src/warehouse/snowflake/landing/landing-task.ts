import { MillraceError } from '../../../base/errors.ts';
import type { CommitGroup } from '../../../connect/commit-group.ts';
import type { ConnectRecord } from '../../../connect/record.ts';
import type { CutRequest, SinkOffset, SinkTask } from '../../../connect/tasks.ts';
import { LandingLane, type LaneOptions } from './landing-lane.ts';
import { LandingReplicas, type ReplicasOptions } from './landing-replicas.ts';
import type { LandingWarehouse } from './landing-warehouse.ts';

/** A record of a topic and its offset there; null: a transformation has dropped it. */
export interface TopicRecord {
  readonly record: ConnectRecord | null;
  readonly offset: number;
}

/** What the task needs of the worker: the records of a group, in their order, always the same number of them. */
export type RecordsOf = (group: CommitGroup) => Iterable<TopicRecord>;

export interface LandingTaskOptions extends Omit<LaneOptions, 'source' | 'logId' | 'stored' | 'replicas'> {
  readonly connector: string;
  readonly warehouse: LandingWarehouse;
  /** Absent: nothing but landing tables. */
  readonly replicas: Omit<ReplicasOptions, 'warehouse' | 'placeOf' | 'notes' | 'log'> | undefined;
}

/** A task that lands the records of each source in its tables, and keeps replicas of them. */
export function createLandingTask(options: LandingTaskOptions): SinkTask {
  const { connector, warehouse } = options;
  const lanes = new Map<string, LandingLane>();
  let logId: string | undefined;

  const laneOf = (source: string): LandingLane => {
    const known = lanes.get(source);
    if (known !== undefined) return known;
    if (logId === undefined) throw new MillraceError('INTERNAL', 'The sink task was not opened');
    const stored = warehouse.store.offsets.find((offset) => offset.source === source);
    const log = options.log.child({ source });
    const { placeOf } = options.format;
    const replicas =
      options.replicas === undefined
        ? undefined
        : new LandingReplicas({ ...options.replicas, warehouse, placeOf, notes: warehouse.store.notes(source), log });
    const lane = new LandingLane({ ...options, replicas, source, logId, stored, log });
    lanes.set(source, lane);
    return lane;
  };
  const committed = (): readonly SinkOffset[] => [...lanes.values()].map(({ stored }) => stored).filter((offset) => offset !== undefined);

  return {
    async open(id, signal) {
      signal.throwIfAborted();
      for (const offset of warehouse.store.offsets) {
        if (offset.logId === id) continue;
        throw new MillraceError(
          'LOG_IDENTITY',
          `The landing tables of "${connector}" were fed with ${offset.source} up to group ${offset.seq} of another log`,
          {
            nextStep:
              'Use the data folder that they belong to, or give the connector another name: it then lands everything anew, and positions keep the replicas right.',
            context: { connector, source: offset.source, seq: offset.seq },
          },
        );
      }
      logId = id;
      for (const { source } of warehouse.store.offsets) laneOf(source);
      return committed();
    },
    put: (group, signal) => laneOf(group.source).put(group, signal),
    async flush(signal) {
      for (const lane of lanes.values()) await lane.flush(signal);
      return committed();
    },
    committed,
    pending: () => [...lanes.values()].some((lane) => lane.pending),
    due: (atEnd) => [...lanes.values()].some((lane) => lane.isDue(atEnd)),
    cutAt: <T>(_cut: CutRequest, _pinned: () => Promise<T>): Promise<T> => {
      throw new MillraceError('WORKER_REFUSED', 'Landing tables hold records, which have no state of the source to be compared with.', {
        nextStep: 'Use the connector class io.millrace.SnowflakeSinkConnector for a replica that `millrace verify` compares.',
      });
    },
    async [Symbol.asyncDispose]() {
      await warehouse[Symbol.asyncDispose]();
    },
  };
}
