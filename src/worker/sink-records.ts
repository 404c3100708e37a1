import { sleep } from '../base/abort.ts';
import { isMillraceError, type MillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { RecordDecoder, type RejectedRecord } from '../codec/decode/record-decoder.ts';
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
import { openDeadLetters, type DeadLetters, type ErrorStage, type FailedRecord } from './dead-letters.ts';
import { readErrorHandling } from './error-handling.ts';
import type { SinkRecordCounts } from './metrics.ts';
import { openSinkPipeline, type SinkPipeline } from './sink-pipeline.ts';
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

interface Origin {
  readonly topic: string;
  readonly record: SerializedRecord;
}

const typesPrefix = 'millrace.types.';

/** Makes the record side; nothing of it runs for groups that have no records. @throws CONFIG_INVALID */
export function createSinkRecords(options: SinkRecordsOptions): SinkRecords {
  const { connector, properties, logger } = options;
  const pipeline = openSinkPipeline(properties);
  const rendered = new Map<string, DebeziumOptions>();
  const handling = readErrorHandling(properties);
  const takes = sinkTopicFilter(properties);
  const decoders = new Map<string, RecordDecoder>();
  const counts = { failed: 0, deadLetters: 0 };
  let task: SinkTask | undefined;
  let log: (Log & Partial<TopicIndex>) | undefined;
  let deadLetters: DeadLetters | undefined;
  /** Of the group that is being taken. */
  let rejected: (RejectedRecord & { readonly stage: ErrorStage; readonly className: string })[] = [];
  let origins = new WeakMap<SerializedRecord, Origin>();

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
      takes,
      captures: captureFilter(written),
      schemas: { key: schemasOf('key'), value: schemasOf('value') },
      declared: (table) => properties[`${typesPrefix}${tableName(table)}`],
      openDdlReader: options.openDdlReader,
      notes: task?.notes?.(source) ?? new Map(),
      onDoubt: (table, reason) => logger.warn({ source, table: tableName(table), reason }, 'the records do not tell all of a statement'),
      ...(handling.tolerates
        ? { onReject: (each) => void rejected.push({ ...each, stage: 'TASK_PUT', className: properties['connector.class'] ?? '' }) }
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
        try {
          const next = await retried(() => through.pass(from), handling, signal);
          if (next === null) continue;
          const { transaction } = from.record;
          const own = transaction === undefined ? { ...next.record } : { ...next.record, transaction };
          origins.set(own, from);
          add(next.topic, own);
        } catch (error) {
          if (!isRecordError(error) || !handling.tolerates) throw error;
          rejected.push({ ...from, error, ...placeOf(error) });
        }
      }
      const mark = loadMarkOf(entry);
      if (mark !== undefined) {
        result.push(mark);
        last = undefined;
      }
    }
    return result;
  };

  const bury = async (group: CommitGroup, signal: AbortSignal): Promise<void> => {
    const failed = rejected;
    rejected = [];
    if (failed.length === 0) return;
    const places = placesOf(group, origins, log);
    const letters = failed.map(({ record, topic, error, stage, className }): FailedRecord => {
      const origin = origins.get(record);
      const place = places.get(origin?.record ?? record);
      return { topic: origin?.topic ?? topic, offset: place ?? -1, record: origin?.record ?? record, error, stage, className };
    });
    if (handling.logs) for (const each of letters) logger.error(logFields(each, handling.logsRecords), 'a record cannot be handled');
    logger.debug({ records: failed.length }, 'records left out');
    await deadLetters?.write(group, letters, signal);
    counts.failed += letters.length;
    if (deadLetters !== undefined) counts.deadLetters += letters.length;
  };

  return {
    async open(opened, from, signal) {
      task = opened;
      log = from;
      decoders.clear();
      const { deadLetterTopic: topic, contextHeaders } = handling;
      if (topic === undefined || !handling.tolerates) return;
      deadLetters = await openDeadLetters({ connector, topic, contextHeaders, log: from }, signal);
    },
    async take(group, signal) {
      const hasRecords = pipeline !== undefined || group.entries.some((entry) => entry.kind === 'records' || isLoadMark(entry));
      if (!hasRecords && !isLoading(group.source)) return group;
      rejected = [];
      origins = new WeakMap();
      const entries = pipeline === undefined ? undefined : await passed(group, pipeline, signal);
      const decoded = decoderOf(group.source).decode(entries === undefined ? group : { ...group, entries });
      await bury(group, signal);
      return decoded;
    },
    topicOf: (source, table) => decoders.get(source)?.topicOf(table),
    counts,
  };
}

/** Whether only topics take it. */
function isForTopics(entry: Entry): boolean {
  return entry.kind === 'told' || (entry.kind === 'records' && entry.told === true);
}

/** Offset in its topic of each record of the group. */
function placesOf(
  group: CommitGroup,
  origins: WeakMap<SerializedRecord, Origin>,
  log: Partial<TopicIndex> | undefined,
): ReadonlyMap<SerializedRecord, number> {
  const places = new Map<SerializedRecord, number>();
  const [indexed] = log?.groupTopics?.({ source: group.source, afterSeq: group.seq - 1, maxGroups: 1 }) ?? [];
  for (const { entry: at, firstOffset } of indexed?.entries ?? []) {
    const entry = group.entries[at];
    if (entry?.kind === 'records') for (const [index, record] of entry.records.entries()) places.set(record, firstOffset + index);
  }
  return places;
}

function isRecordError(error: unknown): error is MillraceError {
  return isMillraceError(error, 'CONVERSION_FAILED') || isMillraceError(error, 'TRANSFORMATION_FAILED');
}

/** What a pipeline's error says of where it happened. */
function placeOf({ code, context }: MillraceError): { readonly stage: ErrorStage; readonly className: string } {
  const stage = context['stage'];
  const className = typeof context['className'] === 'string' ? context['className'] : '';
  if (stage === 'KEY_CONVERTER' || stage === 'VALUE_CONVERTER' || stage === 'HEADER_CONVERTER') return { stage, className };
  return { stage: code === 'TRANSFORMATION_FAILED' ? 'TRANSFORMATION' : 'VALUE_CONVERTER', className };
}

function logFields({ topic, offset, stage, error, record }: FailedRecord, withRecord: boolean): Readonly<Record<string, unknown>> {
  const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('utf8').slice(0, 10_000));
  return { topic, offset, stage, error: error.message, ...(withRecord ? { key: text(record.key), value: text(record.value) } : {}) };
}

/** Repeats what failed for a passing reason, as long as `errors.retry.timeout` allows. */
async function retried<T>(
  work: () => T,
  { retryTimeoutMs, retryDelayMaxMs }: { readonly retryTimeoutMs: number; readonly retryDelayMaxMs: number },
  signal: AbortSignal,
): Promise<T> {
  const begunMs = performance.now();
  for (let waitMs = 300; ; waitMs = Math.min(waitMs * 2, retryDelayMaxMs)) {
    try {
      return work();
    } catch (error) {
      const isOver = retryTimeoutMs >= 0 && performance.now() - begunMs + waitMs > retryTimeoutMs;
      if (!isMillraceError(error) || !error.retriable || isOver) throw error;
      await sleep(waitMs, signal);
    }
  }
}
