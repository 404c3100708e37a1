import type { Logger } from '../base/logger.ts';
import { RecordDecoder } from '../codec/decode/record-decoder.ts';
import type { DebeziumOptions } from '../codec/debezium-options.ts';
import { modesOfProperties } from '../codec/decode/value-form.ts';
import type { CommitGroup, Entry } from '../connect/commit-group.ts';
import type { OpenDdlReader } from '../connect/ddl-reader.ts';
import { stretchesInEventOrder } from '../connect/event-order.ts';
import { isLoadMark, loadMarkOf } from '../connect/load-mark.ts';
import type { SerializedRecord } from '../connect/record.ts';
import type { SinkGroup, SinkTask } from '../connect/tasks.ts';
import { tableName, type TableId } from '../event/table-schema.ts';
import type { Log } from '../log/log.ts';
import type { TopicIndex } from '../log/topic-view.ts';
import { captureFilter } from './capture-filter.ts';
import type { SinkRecordCounts } from './metrics.ts';
import { createRejectedRecords } from './rejected-records.ts';
import { openSinkPipeline, type SinkPipeline, type TopicRecord } from './sink-pipeline.ts';
import { sinkTopicFilter } from './topic-filter.ts';

export interface SinkRecordsOptions {
  readonly connector: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly logger: Logger;
  readonly openDdlReader: OpenDdlReader;
  /** What kind of server a source's records are of, and the properties of the connector that wrote them, as far as known. */
  readonly sourceOf: (source: string) => { readonly flavor: 'mysql' | 'mariadb'; readonly properties: Readonly<Record<string, string>> };
  /** How records of a source's rows are rendered, for a sink with transformations. */
  readonly debeziumOf: (source: string) => DebeziumOptions;
}

/** The record side of a sink of tables. */
export interface SinkRecords {
  /** Goes on from what the opened task has stored. */
  open(task: SinkTask, log: Log & Partial<TopicIndex>, signal: AbortSignal): Promise<void>;
  /**
   * The group with its records as batches. Records that cannot be handled are in the dead letter topic, durably, when it
   * resolves; the group itself if there is nothing to do.
   * @throws CONVERSION_FAILED, TRANSFORMATION_FAILED when errors are not tolerated
   */
  take(group: CommitGroup, signal: AbortSignal): Promise<SinkGroup>;
  topicOf(source: string, table: TableId): string | undefined;
  readonly counts: SinkRecordCounts;
}

const typesPrefix = 'millrace.types.';

/** Makes the record side; nothing of it runs for groups that have no records. @throws CONFIG_INVALID */
export function createSinkRecords(options: SinkRecordsOptions): SinkRecords {
  const { connector, properties, logger } = options;
  const pipeline = openSinkPipeline(properties);
  const rendered = new Map<string, DebeziumOptions>();
  const rejected = createRejectedRecords({ connector, properties, logger });
  const takes = sinkTopicFilter(properties);
  /** Topics as the sink's transformations have named them: what it takes is asked before, and not again. */
  const named = new Set<string>();
  const decoders = new Map<string, RecordDecoder>();
  let task: SinkTask | undefined;
  /** Of the group that is being taken. */
  let origins = new WeakMap<SerializedRecord, TopicRecord>();

  const schemasOf = (side: 'key' | 'value'): boolean | undefined => {
    // what a pipeline makes has its schema with it
    if (pipeline !== undefined || properties[`${side}.converter`] === undefined) return undefined;
    return properties[`${side}.converter.schemas.enable`]?.trim().toLowerCase() !== 'false';
  };

  const decoderOf = (source: string): RecordDecoder => {
    const known = decoders.get(source);
    if (known !== undefined) return known;
    const { flavor, properties: ofSource } = options.sourceOf(source);
    const written = { ...ofSource, ...properties };
    const decoder = new RecordDecoder({
      source,
      flavor,
      modes: modesOfProperties(written, flavor),
      takes: (topic) => named.has(topic) || takes(topic),
      captures: captureFilter(written),
      schemas: { key: schemasOf('key'), value: schemasOf('value') },
      declared: (table) => properties[`${typesPrefix}${tableName(table)}`],
      openDdlReader: options.openDdlReader,
      notes: task?.notes?.(source) ?? new Map(),
      onDoubt: (table, reason) => logger.warn({ source, table: tableName(table), reason }, 'the records do not tell all of a statement'),
      ...(rejected.tolerates
        ? { onReject: (each) => rejected.add({ ...each, stage: 'TASK_PUT', className: properties['connector.class'] ?? '' }) }
        : {}),
    });
    decoders.set(source, decoder);
    return decoder;
  };

  /** Whether a source's snapshot waits for its groups, with records or without. */
  const isLoading = (source: string): boolean => {
    const known = decoders.get(source);
    if (known !== undefined) return known.isLoading;
    return (task?.notes?.(source).size ?? 0) > 0 && decoderOf(source).isLoading;
  };

  const debeziumOf = (source: string): DebeziumOptions => {
    const known = rendered.get(source) ?? options.debeziumOf(source);
    rendered.set(source, known);
    return known;
  };

  /** The group's entries with records as the pipeline leaves them: in the place of rows, too. */
  const passed = async (group: CommitGroup, through: SinkPipeline, signal: AbortSignal): Promise<readonly Entry[]> => {
    const result: Entry[] = [];
    let last: { kind: 'records'; topic: string; records: SerializedRecord[] } | undefined;
    const add = (topic: string, record: SerializedRecord): void => {
      if (last?.topic === topic) last.records.push(record);
      else result.push((last = { kind: 'records', topic, records: [record] }));
    };
    for (const entry of [...stretchesInEventOrder(group.entries)].flat()) {
      if (isForTopics(entry)) continue;
      const records =
        entry.kind === 'records'
          ? entry.records.map((record) => ({ topic: entry.topic, record }))
          : through.render(group, entry, debeziumOf(group.source));
      for (const from of records) {
        // schema changes tell of tables, and are none themselves
        if (!takes(from.topic) || from.topic === group.source) {
          add(from.topic, from.record);
          continue;
        }
        const next = await rejected.attempt(from, () => through.pass(from), signal);
        if (next === null || next === undefined) continue;
        const { transaction } = from.record;
        const own = transaction === undefined ? { ...next.record } : { ...next.record, transaction };
        origins.set(own, from);
        named.add(next.topic);
        add(next.topic, own);
      }
      const mark = loadMarkOf(entry);
      if (mark !== undefined) {
        result.push(mark);
        last = undefined;
      }
    }
    return result;
  };

  return {
    async open(opened, from, signal) {
      task = opened;
      decoders.clear();
      await rejected.open(from, signal);
    },
    async take(group, signal) {
      const hasRecords = pipeline !== undefined || group.entries.some((entry) => entry.kind === 'records' || isLoadMark(entry));
      if (!hasRecords && !isLoading(group.source)) return group;
      rejected.forget();
      origins = new WeakMap();
      const entries = pipeline === undefined ? undefined : await passed(group, pipeline, signal);
      const decoded = decoderOf(group.source).decode(entries === undefined ? group : { ...group, entries });
      await rejected.bury(group, signal, origins);
      return decoded;
    },
    topicOf: (source, table) => decoders.get(source)?.topicOf(table),
    counts: rejected.counts,
  };
}

/** Whether only topics take it. */
function isForTopics(entry: Entry): boolean {
  return entry.kind === 'told' || (entry.kind === 'records' && entry.told === true);
}
