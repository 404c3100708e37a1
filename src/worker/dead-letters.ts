import { noEvents, noTransactions } from '../connect/commit-group.ts';
import type { MillraceError } from '../base/errors.ts';
import { failpoint } from '../base/failpoint.ts';
import type { SerializedHeader, SerializedRecord } from '../connect/record.ts';
import type { Log } from '../log/log.ts';

/** What was being done with a record, in Kafka Connect's words. */
export type ErrorStage = 'KEY_CONVERTER' | 'VALUE_CONVERTER' | 'HEADER_CONVERTER' | 'TRANSFORMATION' | 'TASK_PUT';

/** A record that a sink cannot take, as it lies in its topic. */
export interface FailedRecord {
  readonly topic: string;
  readonly offset: number;
  readonly record: SerializedRecord;
  readonly stage: ErrorStage;
  /** Java class of the converter, transformation or connector that refused it. */
  readonly className: string;
  readonly error: MillraceError;
}

export interface DeadLetterOptions {
  readonly connector: string;
  readonly topic: string;
  readonly contextHeaders: boolean;
  readonly log: Log;
}

/** A sink's dead letter topic, in the log. */
export interface DeadLetters {
  /**
   * Makes the failed records of a source's group durable, all at once and only once: a group that comes again after a crash
   * has been written before.
   */
  write(group: { readonly source: string; readonly seq: number }, failed: readonly FailedRecord[], signal: AbortSignal): Promise<void>;
}

/** Compacted records of how far each source's dead letters are written; they commit with the dead letters. */
const progressTopic = 'dead-letters';

export async function openDeadLetters(options: DeadLetterOptions, signal: AbortSignal): Promise<DeadLetters> {
  const { log, topic, connector } = options;
  // A stream of the sink's own: the log numbers the groups of one writer.
  const writer = `${connector} (dead letters)`;
  const written = new Map((await log.loadSource(writer, signal)).state(progressTopic));
  return {
    async write({ source, seq }, failed, inner) {
      if (Number(written.get(source) ?? 0) >= seq) return;
      const records = failed.map((each): SerializedRecord => {
        const { key, value, headers, timestamp } = each.record;
        const context = options.contextHeaders ? contextHeaders(each, connector) : [];
        return { key, value, headers: [...headers, ...context], ...(timestamp === undefined ? {} : { timestamp }) };
      });
      const group = {
        source: writer,
        seq: 0,
        position: { file: '', pos: 0, gtids: '' },
        open: false,
        file: '',
        transactions: noTransactions,
        events: noEvents,
        entries: [{ kind: 'records' as const, topic, records }],
      };
      const state = [{ topic: progressTopic, key: source, value: String(seq) }];
      await log.append({ group, offset: {}, state }, { connector: writer }, inner);
      written.set(source, String(seq));
      failpoint('dead-letters');
    },
  };
}

/** In the order in which Kafka Connect adds them. */
function contextHeaders({ topic, offset, stage, className, error }: FailedRecord, connector: string): readonly SerializedHeader[] {
  const text = (name: string, value: string): SerializedHeader => ({
    name: `__connect.errors.${name}`,
    value: Buffer.from(value, 'utf8'),
  });
  return [
    text('topic', topic),
    text('partition', '0'),
    text('offset', String(offset)),
    text('connector.name', connector),
    text('task.id', '0'),
    text('stage', stage),
    text('class.name', className),
    text('exception.class.name', 'org.apache.kafka.connect.errors.DataException'),
    text('exception.message', error.message),
    text('exception.stacktrace', `org.apache.kafka.connect.errors.DataException: ${error.message}`),
  ];
}
