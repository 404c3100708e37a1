import { messageOf, MillraceError } from '../base/errors.ts';
import { createConnectRecordReader, type ConnectRecordReader } from '../codec/connect-record.ts';
import { convertsAsRendered, converterOf, headerConverterOf } from '../codec/converters.ts';
import type { DebeziumOptions } from '../codec/debezium-options.ts';
import { JsonConverter } from '../codec/json-converter.ts';
import type { CommitGroup, Entry } from '../connect/commit-group.ts';
import type { ConnectRecord, Converter, SerializedHeader, SerializedRecord } from '../connect/record.ts';
import { applyTransformations, hasTransformations, openTransformations } from '../transform/transformation-chain.ts';
import type { ErrorStage } from './dead-letters.ts';

/** A record of a topic, as bytes. */
export interface TopicRecord {
  readonly topic: string;
  readonly record: SerializedRecord;
}

/** What a sink's own converters and transformations make of records, before they become rows. */
export interface SinkPipeline {
  /**
   * The record behind the last transformation, as JSON with its schema; null: it was dropped.
   * @throws CONVERSION_FAILED, TRANSFORMATION_FAILED with `stage` and `className` in their context
   */
  pass(from: TopicRecord): TopicRecord | null;
  /** Records of an entry that holds rows, for `pass`. */
  render(group: CommitGroup, entry: Entry, debezium: DebeziumOptions): readonly TopicRecord[];
}

type Properties = Readonly<Record<string, string>>;

const written = { decimalFormat: 'base64', replaceNullWithDefault: false } as const;
const withSchemas = new JsonConverter({ schemas: true, ...written });
const withoutSchemas = new JsonConverter({ schemas: false, ...written });

/** Whether a sink takes rows as records, too. */
export function needsPipeline(properties: Properties): boolean {
  return hasTransformations(properties) || !convertsAsRendered(properties);
}

/**
 * Gives records as a sink's converters and transformations leave them; null: it was dropped.
 *
 * @throws CONFIG_INVALID, CONFIG_UNSUPPORTED; for a record CONVERSION_FAILED, TRANSFORMATION_FAILED with `stage` and
 *   `className` in their context
 */
export function openRecordReader(properties: Properties): (from: TopicRecord) => ConnectRecord | null {
  const keys = given('key', properties);
  const values = given('value', properties);
  const headerConverter = headerConverterOf(properties);
  const stages = openTransformations(properties);
  const classNames = stages.map(({ className }) => className).join(', ');
  return ({ topic, record }) => {
    const key = staged('KEY_CONVERTER', classOf('key', properties), () => readSide(keys, topic, record.key));
    const value = staged('VALUE_CONVERTER', classOf('value', properties), () => readSide(values, topic, record.value));
    const read: ConnectRecord = {
      topic,
      partition: 0,
      keySchema: key.schema,
      key: key.value,
      valueSchema: value.schema,
      value: value.value,
      timestamp: record.timestamp ?? null,
      headers: staged('HEADER_CONVERTER', properties['header.converter'] ?? '', () =>
        record.headers.map((header) => headerConverter.toConnect(topic, header.name, header.value)),
      ),
    };
    return staged('TRANSFORMATION', classNames, () => applyTransformations(stages, read));
  };
}

/** Undefined: records are JSON, and no transformation changes them. @throws CONFIG_INVALID, CONFIG_UNSUPPORTED */
export function openSinkPipeline(properties: Properties): SinkPipeline | undefined {
  if (!needsPipeline(properties)) return undefined;
  const read = openRecordReader(properties);
  const headerConverter = headerConverterOf(properties);
  const readers = new Map<DebeziumOptions, ConnectRecordReader>();

  const toJson = (record: ConnectRecord): TopicRecord => {
    const { topic, keySchema, key, valueSchema, value, timestamp } = record;
    const side = (schema: ConnectRecord['keySchema'], data: ConnectRecord['key']): Uint8Array | null =>
      schema === null
        ? data === null
          ? null
          : withoutSchemas.fromConnect(topic, schema, data)
        : withSchemas.fromConnect(topic, schema, data);
    const headers = record.headers.map((header): SerializedHeader => ({
      name: header.name,
      value: headerConverter.fromConnect(topic, header),
    }));
    return {
      topic,
      record: { key: side(keySchema, key), value: side(valueSchema, value), headers, ...(timestamp === null ? {} : { timestamp }) },
    };
  };

  return {
    pass(from) {
      const changed = read(from);
      return changed === null ? null : staged('VALUE_CONVERTER', classOf('value', properties), () => toJson(changed));
    },
    render(group, entry, debezium) {
      let reader = readers.get(debezium);
      if (reader === undefined) readers.set(debezium, (reader = createConnectRecordReader(debezium)));
      const records: TopicRecord[] = [];
      reader.read(group, entry, {
        record(record, transaction) {
          const json = toJson(record);
          records.push(transaction === undefined ? json : { topic: json.topic, record: { ...json.record, transaction } });
        },
        // the schema history is no topic of records
        raw: () => undefined,
      });
      return records;
    },
  };
}

/** The configured converter; undefined: JSON, with or without a schema as each record has it. */
function given(side: 'key' | 'value', properties: Properties): Converter | undefined {
  return properties[`${side}.converter`] === undefined ? undefined : converterOf(side, properties);
}

function classOf(side: 'key' | 'value', properties: Properties): string {
  return properties[`${side}.converter`] ?? 'org.apache.kafka.connect.json.JsonConverter';
}

const schemaStart = Buffer.from('{"schema":');

function readSide(converter: Converter | undefined, topic: string, bytes: Uint8Array | null): ReturnType<Converter['toConnect']> {
  if (bytes === null) return { schema: null, value: null };
  const hasSchema = bytes.length > schemaStart.length && schemaStart.compare(bytes, 0, schemaStart.length) === 0;
  return (converter ?? (hasSchema ? withSchemas : withoutSchemas)).toConnect(topic, bytes);
}

function staged<T>(stage: ErrorStage, className: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = stage === 'TRANSFORMATION' ? 'TRANSFORMATION_FAILED' : 'CONVERSION_FAILED';
    const retriable = error instanceof MillraceError && error.retriable;
    throw new MillraceError(code, messageOf(error), { cause: error, retriable, context: { stage, className } });
  }
}
