import { decimalText } from '../../../event/cell.ts';
import { Decimal, Struct, type ConnectValue, type Schema } from '../../../connect/data.ts';
import { numberText } from '../../../connect/java-text.ts';
import type { ConnectHeader, ConnectRecord } from '../../../connect/record.ts';
import { isArray, isMap, logicalName } from '../../../connect/schema.ts';

/** Whose forms of values: the connector's versions differ in Connect's timestamps, and in keys and headers. */
export type LandingVersion = 3 | 4;

/** More digits than Snowflake's numbers have. */
const tooLarge = 10n ** 38n;
const dayMs = 86_400_000;

/**
 * A record's value as JSON, as Snowflake's Kafka connector puts it into RECORD_CONTENT. One thing is different: null stays
 * null where the schema has a default, since a row of the source that has NULL must not get another value. Source:
 * KafkaRecordConverter of version 4, RecordService of version 3.
 */
export function contentText(schema: Schema | null, value: ConnectValue, version: LandingVersion): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberJson(schema, value, version);
  if (typeof value === 'bigint') return schema?.name === logicalName.timestamp && version === 4 ? isoText(Number(value)) : String(value);
  if (value instanceof Decimal) return decimalJson(value);
  if (value instanceof Uint8Array) return `"${Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')}"`;
  if (value instanceof Struct) {
    const { fields = [] } = value.schema;
    let text = '{';
    for (const [index, field] of fields.entries()) {
      text += `${index === 0 ? '' : ','}${JSON.stringify(field.name)}:${contentText(field.schema, value.values[index] ?? null, version)}`;
    }
    return `${text}}`;
  }
  if (isMap(value)) {
    const pairs = Array.from(value, ([key, each]) => {
      const name = typeof key === 'string' ? key : contentText(schema?.keySchema ?? null, key, version);
      return `${JSON.stringify(name)}:${contentText(schema?.valueSchema ?? null, each, version)}`;
    });
    return `{${pairs.join(',')}}`;
  }
  if (isArray(value)) return `[${value.map((each) => contentText(schema?.valueSchema ?? null, each, version)).join(',')}]`;
  return 'null';
}

function numberJson(schema: Schema | null, value: number, version: LandingVersion): string {
  switch (schema?.name) {
    case logicalName.date:
      return isoText(value * dayMs);
    case logicalName.time:
      // the connector has the offset of its machine there; UTC is the same everywhere
      return `"${new Date(value).toISOString().slice(11, 23)}Z"`;
    case logicalName.timestamp:
      return version === 4 ? isoText(value) : String(value);
    default: {
      const text = numberText(value, schema?.type);
      return Number.isFinite(value) ? text : `"${text}"`;
    }
  }
}

function isoText(ms: number): string {
  return JSON.stringify(new Date(ms).toISOString());
}

function decimalJson({ unscaled, scale }: Decimal): string {
  const text = decimalText(unscaled, scale);
  return unscaled < tooLarge && unscaled > -tooLarge ? text : `"${text}"`;
}

export interface MetadataOptions {
  /** `snowflake.metadata.createtime`, `.topic`, `.offset.and.partition`; without `snowflake.metadata.all`, none. */
  readonly all: boolean;
  readonly createTime: boolean;
  readonly topic: boolean;
  readonly offsetAndPartition: boolean;
  /** `snowflake.streaming.metadata.connectorPushTime`; undefined: none. */
  readonly pushTime: (() => number) | undefined;
  /** `snowflake.feature.structured.headers`. */
  readonly structuredHeaders: boolean;
  readonly version: LandingVersion;
}

/**
 * What RECORD_METADATA says of a record. `epoch` is Millrace's own: positions of records count within it (see
 * `PositionEpochs`); 0 is left out, so that the object then is the connector's.
 */
export function metadataText(record: ConnectRecord, offset: number, of: MetadataOptions & { readonly epoch: number }): string {
  const members: string[] = [];
  if (of.all) {
    if (of.topic) members.push(`"topic":${JSON.stringify(record.topic)}`);
    if (of.offsetAndPartition) members.push(`"offset":${offset},"partition":${record.partition ?? 0}`);
    if (of.createTime && record.timestamp !== null) members.push(`"CreateTime":${record.timestamp}`);
    if (of.pushTime !== undefined) members.push(`"SnowflakeConnectorPushTime":${of.pushTime()}`);
    if (record.key !== null) members.push(`"key":${contentText(record.keySchema, record.key, of.version)}`);
    if (record.headers.length > 0) members.push(`"headers":${headersText(record.headers, of)}`);
  }
  if (of.epoch > 0) members.push(`"epoch":${of.epoch}`);
  return `{${members.join(',')}}`;
}

function headersText(headers: readonly ConnectHeader[], { structuredHeaders, version }: MetadataOptions): string {
  // of those with one name the last counts
  const texts = new Map<string, string>();
  for (const { name, schema, value } of headers) {
    const text = contentText(schema, value, version);
    texts.set(name, structuredHeaders || text === 'null' || text.startsWith('"') ? text : JSON.stringify(text));
  }
  return `{${Array.from(texts, ([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}
