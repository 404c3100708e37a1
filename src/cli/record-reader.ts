import type { SerializedRecord } from '../connect/record.ts';
import type { EmitRecord, RenderedRecord } from '../codec/debezium-renderer.ts';
import { createDebeziumRenderer } from '../codec/debezium-renderer.ts';
import { readTopics } from '../log/topic-view.ts';
import type { Log } from '../log/log.ts';
import type { TopicIndex } from '../log/topic-view.ts';
import { recordOptions } from './source-catalog.ts';

export interface RecordReaderOptions {
  /** Absent: all of the source. */
  readonly topics?: ReadonlySet<string>;
  /** Key and value of tables without the schemas around them, whatever the connector's converters write. */
  readonly withoutSchemas?: boolean;
}

/** Reads the records of one source from the log, as a consumer of its topics would get them. */
export interface RecordReader {
  /**
   * Emits what is new, in log order, with each record's offset in its topic; false when there is no new group. The record
   * is valid until `emit` returns.
   */
  readOn(emit: (record: RenderedRecord, offset: number) => void, signal: AbortSignal): boolean;
}

/** Begins with the first group that the log still holds. */
export function createRecordReader(log: Log & TopicIndex, source: string, options: RecordReaderOptions = {}): RecordReader {
  const { topics, withoutSchemas = false } = options;
  const form = recordOptions(log, source);
  const renderer = createDebeziumRenderer(withoutSchemas ? { ...form, keySchemas: false, valueSchemas: false } : form);
  let afterSeq = (log.range(source)?.first ?? 1) - 1;
  return {
    readOn(emit, signal) {
      const last = log.range(source)?.last ?? 0;
      if (last <= afterSeq) return false;
      for (const { topic, group, entry, firstOffset } of readTopics(log, {
        source,
        afterSeq,
        ...(topics === undefined ? {} : { topics }),
      })) {
        if (signal.aborted) return true;
        let offset = firstOffset;
        // An entry can have records of other topics, too.
        const count: EmitRecord = (record) => {
          if (record.topic === topic) emit(record, offset++);
        };
        if (entry.kind === 'records') for (const record of entry.records) count(renderedOf(topic, record));
        else renderer.render(group, entry, count);
        afterSeq = Math.max(afterSeq, group.seq);
      }
      afterSeq = Math.max(afterSeq, last);
      return true;
    },
  };
}

const noBytes = new Uint8Array(0);

/** A record that lies in the log as it is. */
function renderedOf(topic: string, { key, value, headers }: SerializedRecord): RenderedRecord {
  const [keyBytes, valueBytes] = [key ?? noBytes, value ?? noBytes];
  const bytes = new Uint8Array(keyBytes.length + valueBytes.length);
  bytes.set(keyBytes);
  bytes.set(valueBytes, keyBytes.length);
  return {
    topic,
    bytes,
    keyStart: 0,
    keyEnd: key === null ? -1 : keyBytes.length,
    valueStart: keyBytes.length,
    valueEnd: value === null ? -1 : bytes.length,
    headers,
  };
}
