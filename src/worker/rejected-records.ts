import { sleep } from '../base/abort.ts';
import { isMillraceError } from '../base/errors.ts';
import type { MillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { CommitGroup } from '../connect/commit-group.ts';
import type { SerializedRecord } from '../connect/record.ts';
import type { Log } from '../log/log.ts';
import type { TopicIndex } from '../log/topic-view.ts';
import { openDeadLetters } from './dead-letters.ts';
import type { DeadLetters, ErrorStage, FailedRecord } from './dead-letters.ts';
import { readErrorHandling } from './error-handling.ts';
import type { SinkRecordCounts } from './metrics.ts';
import type { TopicRecord } from './sink-pipeline.ts';

/** A record that a sink cannot handle. */
export interface RejectedRecord extends TopicRecord {
  readonly error: MillraceError;
  readonly stage: ErrorStage;
  readonly className: string;
}

export interface RejectedRecordsOptions {
  readonly connector: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

/** What becomes of records that a sink cannot handle: `errors.*`. */
export interface RejectedRecords {
  readonly tolerates: boolean;
  readonly counts: SinkRecordCounts;
  open(log: Log & Partial<TopicIndex>, signal: AbortSignal): Promise<void>;
  /**
   * What the work on a record gives, repeated while that may help; undefined: it has failed, and is among the rejected.
   * @throws CONVERSION_FAILED, TRANSFORMATION_FAILED when errors are not tolerated; all other errors
   */
  attempt<T>(from: TopicRecord, work: () => T, signal: AbortSignal): Promise<T | undefined>;
  add(record: RejectedRecord): void;
  /**
   * Those since the last time, of this group, are in the dead letter topic when it resolves.
   * @param origins What a record was made of, where it lies in its topic otherwise.
   */
  bury(group: CommitGroup, signal: AbortSignal, origins?: WeakMap<SerializedRecord, TopicRecord>): Promise<void>;
  /** Of a group that was given up. */
  forget(): void;
}

/** @throws CONFIG_INVALID */
export function createRejectedRecords({ connector, properties, logger }: RejectedRecordsOptions): RejectedRecords {
  const handling = readErrorHandling(properties);
  const counts = { failed: 0, deadLetters: 0 };
  let rejected: RejectedRecord[] = [];
  let log: (Log & Partial<TopicIndex>) | undefined;
  let deadLetters: DeadLetters | undefined;
  return {
    tolerates: handling.tolerates,
    counts,
    async open(from, signal) {
      log = from;
      const { deadLetterTopic: topic, contextHeaders } = handling;
      if (topic === undefined || !handling.tolerates) return;
      deadLetters = await openDeadLetters({ connector, topic, contextHeaders, log: from }, signal);
    },
    async attempt(from, work, signal) {
      try {
        return await retried(work, handling, signal);
      } catch (error) {
        if (!isRecordError(error) || !handling.tolerates) throw error;
        rejected.push({ ...from, error, ...placeOf(error) });
        return undefined;
      }
    },
    add: (record) => void rejected.push(record),
    forget() {
      rejected = [];
    },
    async bury(group, signal, origins) {
      const failed = rejected;
      rejected = [];
      if (failed.length === 0) return;
      const places = placesOf(group, log);
      const letters = failed.map(({ record, topic, error, stage, className }): FailedRecord => {
        const origin = origins?.get(record);
        const place = places.get(origin?.record ?? record);
        return { topic: origin?.topic ?? topic, offset: place ?? -1, record: origin?.record ?? record, error, stage, className };
      });
      if (handling.logs) for (const each of letters) logger.error(logFields(each, handling.logsRecords), 'a record cannot be handled');
      logger.debug({ records: failed.length }, 'records left out');
      await deadLetters?.write(group, letters, signal);
      counts.failed += letters.length;
      if (deadLetters !== undefined) counts.deadLetters += letters.length;
    },
  };
}

/** Offset in its topic of each record of the group. */
function placesOf(group: CommitGroup, log: Partial<TopicIndex> | undefined): ReadonlyMap<SerializedRecord, number> {
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
