import type { CommitGroup } from '../connect/commit-group.ts';
import type { ConnectRecord } from '../connect/record.ts';
import type { Log } from '../log/log.ts';
import type { TopicIndex } from '../log/topic-view.ts';
import { createRejectedRecords } from './rejected-records.ts';
import type { RejectedRecordsOptions } from './rejected-records.ts';
import { openRecordReader } from './sink-pipeline.ts';
import type { TopicRecord } from './sink-pipeline.ts';
import { sinkTopicFilter } from './topic-filter.ts';

export interface RecordIntakeOptions extends RejectedRecordsOptions {
  readonly log: Log & Partial<TopicIndex>;
  /** The records of a group, those of tables rendered. */
  readonly recordsOf: (group: CommitGroup) => Iterable<TopicRecord>;
}

/** The records of groups as a sink takes them that is no warehouse. */
export interface RecordIntake {
  open(signal: AbortSignal): Promise<void>;
  /**
   * Those of its topics, converted and transformed; what cannot be is dealt with as `errors.*` says, durably.
   * @throws CONVERSION_FAILED, TRANSFORMATION_FAILED when errors are not tolerated
   */
  take(group: CommitGroup, signal: AbortSignal): Promise<readonly ConnectRecord[]>;
}

/** @throws CONFIG_INVALID, CONFIG_UNSUPPORTED */
export function createRecordIntake(options: RecordIntakeOptions): RecordIntake {
  const read = openRecordReader(options.properties);
  const takes = sinkTopicFilter(options.properties);
  const rejected = createRejectedRecords(options);
  return {
    open: (signal) => rejected.open(options.log, signal),
    async take(group, signal) {
      rejected.forget();
      const records: ConnectRecord[] = [];
      for (const from of options.recordsOf(group)) {
        if (!takes(from.topic)) continue;
        const record = await rejected.attempt(from, () => read(from), signal);
        if (record !== undefined && record !== null) records.push(record);
      }
      await rejected.bury(group, signal);
      return records;
    },
  };
}
