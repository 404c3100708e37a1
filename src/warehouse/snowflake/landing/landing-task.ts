import { MillraceError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/logger.ts';
import type { CommitGroup } from '../../../connect/commit-group.ts';
import type { ConnectRecord } from '../../../connect/record.ts';
import type { CutRequest, SinkOffset, SinkTask } from '../../../connect/tasks.ts';
import type { ReplicaNaming } from '../../replica-names.ts';
import { LandingLane, type LaneOptions } from './landing-lane.ts';
import { LandingReplicas, type ReplicasOptions } from './landing-replicas.ts';
import type { LandingWarehouse } from './landing-warehouse.ts';
import { fileNumber, type BinlogPlace } from './position-epochs.ts';

/** A record of a topic and its offset there; null: a transformation has dropped it. */
export interface TopicRecord {
  readonly kind: 'record';
  readonly record: ConnectRecord | null;
  readonly offset: number;
}

/** The source has truncated or dropped the table of a topic. */
export interface TopicEmptied {
  readonly kind: 'emptied';
  readonly topic: string;
  readonly place: BinlogPlace;
}

/** What the task needs of the worker: the records of groups. */
export interface LandingIntake {
  open(signal: AbortSignal): Promise<void>;
  /**
   * What a group holds, in its order, always the same number of it; records that cannot be handled are dealt with as `errors.*`
   * says, durably.
   * @throws CONVERSION_FAILED, TRANSFORMATION_FAILED when errors are not tolerated
   */
  take(group: CommitGroup, signal: AbortSignal): Promise<readonly (TopicRecord | TopicEmptied)[]>;
}

export interface LandingTaskOptions extends Omit<LaneOptions, 'source' | 'logId' | 'stored' | 'replicas'> {
  readonly connector: string;
  readonly warehouse: LandingWarehouse;
  /** With Snowpipe Streaming: how far the log knows that the sink is; its channels know of the rows after that. */
  readonly acknowledged?: readonly SinkOffset[] | undefined;
  /** Absent: nothing but landing tables. */
  readonly replicas:
    | (Omit<ReplicasOptions, 'warehouse' | 'placeOf' | 'notes' | 'begin' | 'nameOf' | 'log'> & { readonly naming: ReplicaNaming })
    | undefined;
}

/** A task that lands the records of each source in its tables, and keeps replicas of them. */
export function createLandingTask(options: LandingTaskOptions): SinkTask {
  const { connector, warehouse } = options;
  const lanes = new Map<string, LandingLane>();
  let logId: string | undefined;

  const replicasOf = (source: string, stored: SinkOffset | undefined, log: Logger): LandingReplicas | undefined => {
    if (options.replicas === undefined) return undefined;
    const { naming, ...rest } = options.replicas;
    return new LandingReplicas({
      ...rest,
      nameOf: (table) => naming(source, table),
      placeOf: (topic) => options.format.placeOf(topic),
      warehouse,
      notes: warehouse.store.notes(source),
      begin: stored?.position === undefined ? undefined : { file: fileNumber(stored.position.file), pos: stored.position.pos },
      log,
    });
  };
  const storedOf = (source: string): SinkOffset | undefined => {
    const stored = warehouse.store.offsets.find((offset) => offset.source === source);
    const acknowledged = options.acknowledged?.find((offset) => offset.source === source);
    return acknowledged !== undefined && acknowledged.seq > (stored?.seq ?? 0) ? acknowledged : stored;
  };
  const laneOf = (source: string): LandingLane => {
    const known = lanes.get(source);
    if (known !== undefined) return known;
    if (logId === undefined) throw new MillraceError('INTERNAL', 'The sink task was not opened');
    const stored = storedOf(source);
    const log = options.log.child({ source });
    const lane = new LandingLane({ ...options, replicas: replicasOf(source, stored, log), source, logId, stored, log });
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
      await options.intake.open(signal);
      logId = id;
      for (const { source } of [...warehouse.store.offsets, ...(options.acknowledged ?? [])]) laneOf(source);
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
