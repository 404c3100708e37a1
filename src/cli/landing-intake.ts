/** Records of groups as a landing sink takes them: with their schemas, whatever bytes their connector would have written. */
import { messageOf, MillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { createConnectRecordReader, type ConnectRecordReader } from '../codec/connect-record.ts';
import type { DebeziumOptions } from '../codec/debezium-options.ts';
import { JsonConverter } from '../codec/json-converter.ts';
import { newestCommitMs, type CommitGroup, type Entry } from '../connect/commit-group.ts';
import type { ConnectorProperties } from '../connect/connector.ts';
import type { ConnectRecord } from '../connect/record.ts';
import type { Log } from '../log/log.ts';
import type { TopicIndex } from '../log/topic-view.ts';
import { applyTransformations, openTransformations } from '../transform/transformation-chain.ts';
import type { LandingIntake, TopicEmptied, TopicRecord } from '../warehouse/snowflake/landing/landing-task.ts';
import { fileNumber } from '../warehouse/snowflake/landing/position-epochs.ts';
import { createRejectedRecords } from '../worker/rejected-records.ts';
import { openRecordReader, type TopicRecord as StoredRecord } from '../worker/sink-pipeline.ts';
import { sinkTopicFilter } from '../worker/topic-filter.ts';
import { recordOptions } from './source-catalog.ts';

export interface LandingIntakeOptions {
  readonly connector: string;
  readonly properties: ConnectorProperties;
  readonly logger: Logger;
  readonly log: Log & TopicIndex;
}

interface SourceReader {
  readonly options: DebeziumOptions;
  readonly reader: ConnectRecordReader;
}

const withSchemas = new JsonConverter({ schemas: true, decimalFormat: 'base64', replaceNullWithDefault: false });

/** @throws CONFIG_INVALID, CONFIG_UNSUPPORTED */
export function createLandingIntake({ connector, properties, logger, log }: LandingIntakeOptions): LandingIntake {
  const read = openRecordReader(properties);
  const stages = openTransformations(properties);
  const classNames = stages.map(({ className }) => className).join(', ');
  const takes = sinkTopicFilter(properties);
  const rejected = createRejectedRecords({ connector, properties, logger });
  const readers = new Map<string, SourceReader>();

  const readerOf = (source: string): SourceReader => {
    const options = recordOptions(log, source);
    const known = readers.get(source) ?? { options, reader: createConnectRecordReader(options) };
    readers.set(source, known);
    return known;
  };
  const transformed = (record: ConnectRecord): ConnectRecord | null => {
    try {
      return applyTransformations(stages, record);
    } catch (error) {
      const retriable = error instanceof MillraceError && error.retriable;
      const context = { stage: 'TRANSFORMATION', className: classNames };
      throw new MillraceError('TRANSFORMATION_FAILED', messageOf(error), { cause: error, retriable, context });
    }
  };
  /** Rows as records; those of topics that are not taken are counted only. */
  const rowsOf = (group: CommitGroup, entry: Entry): readonly ConnectRecord[] => {
    const records: ConnectRecord[] = [];
    const timestamp = group.madeMicros === undefined ? newestCommitMs(group) || null : Math.floor(group.madeMicros / 1000);
    readerOf(group.source).reader.read(group, entry, {
      record: (record) => void records.push({ ...record, timestamp }),
      // the schema history is no topic of records
      raw: () => undefined,
    });
    return records;
  };

  return {
    open: (signal) => rejected.open(log, signal),
    async take(group, signal) {
      rejected.forget();
      const taken: (TopicRecord | TopicEmptied)[] = [];
      const firsts = firstOffsets(log, group);
      for (const [at, entry] of group.entries.entries()) {
        let offset = firsts.get(at) ?? 0;
        const add = async (from: () => StoredRecord, topic: string, work: () => ConnectRecord | null): Promise<void> => {
          const record = takes(topic) ? ((await rejected.attempt(from(), work, signal)) ?? null) : null;
          taken.push({ kind: 'record', record, offset: offset++ });
        };
        if (entry.kind === 'records') {
          for (const record of entry.records) {
            const from = { topic: entry.topic, record };
            await add(
              () => from,
              entry.topic,
              () => read(from),
            );
          }
          continue;
        }
        if (entry.kind === 'schema') taken.push(...emptiedBy(group, entry, readerOf(group.source).options));
        for (const record of rowsOf(group, entry)) {
          await add(
            () => stored(record),
            record.topic,
            () => transformed(record),
          );
        }
      }
      await rejected.bury(group, signal);
      return taken;
    },
  };
}

/** What a statement has emptied. */
export function emptiedBy(
  group: CommitGroup,
  entry: Extract<Entry, { kind: 'schema' }>,
  { nameTopic }: DebeziumOptions,
): readonly TopicEmptied[] {
  const pos = group.events.pos[entry.event];
  if (pos === undefined) return [];
  return entry.changes.flatMap((change) =>
    change.kind === 'truncateTable' || change.kind === 'dropTable'
      ? [{ kind: 'emptied' as const, topic: nameTopic(change.before), place: { file: fileNumber(group.file), pos } }]
      : [],
  );
}

/** Offset in its topic of each entry's first record. */
function firstOffsets(log: TopicIndex, { source, seq }: CommitGroup): ReadonlyMap<number, number> {
  const [indexed] = log.groupTopics({ source, afterSeq: seq - 1, maxGroups: 1 });
  return new Map((indexed?.seq === seq ? indexed.entries : []).map(({ entry, firstOffset }) => [entry, firstOffset]));
}

/** For the dead letter topic: the record as it would lie in its own. */
function stored({ topic, keySchema, key, valueSchema, value }: ConnectRecord): StoredRecord {
  return {
    topic,
    record: { key: withSchemas.fromConnect(topic, keySchema, key), value: withSchemas.fromConnect(topic, valueSchema, value), headers: [] },
  };
}
