import type { CommitGroup, Entry } from '../connect/commit-group.ts';
import type { ConnectHeader, ConnectRecord, SerializedRecord } from '../connect/record.ts';
import type { ConverterForm, DebeziumOptions } from './debezium-options.ts';
import { createDebeziumRenderer, type RenderedRecord } from './debezium-renderer.ts';
import { JsonConverter } from './json-converter.ts';
import type { RecordHeader } from './record-headers.ts';

/** Takes the records of an entry. */
export interface ConnectRecordSink {
  /** A record, and the index in the group's `transactions` of the one that it belongs to. */
  record(record: ConnectRecord, transaction: number | undefined): void;
  /** A record that no transformation or converter sees: of the schema history, which its connector writes itself. */
  raw(topic: string, record: SerializedRecord): void;
}

/** Makes Connect's records of a source's commit groups, in their order: for transformations and converters. */
export interface ConnectRecordReader {
  read(group: CommitGroup, entry: Entry, to: ConnectRecordSink): void;
}

const exact: ConverterForm = { decimalFormat: 'base64', replaceNullWithDefault: false };

/**
 * Reads the records back from the JSON that the renderer writes with schemas, which says all of a record that Connect's data
 * does. So both forms follow from one definition of what Debezium sends, and no second set of column rules can part from the
 * first. The detour costs a few microseconds per record, of connectors with transformations only.
 */
export function createConnectRecordReader(options: DebeziumOptions): ConnectRecordReader {
  const renderer = createDebeziumRenderer({
    ...options,
    keySchemas: true,
    valueSchemas: true,
    ...exact,
    keyConverter: exact,
    headerConverter: exact,
    headerFormat: 'json-schemas',
  });
  const form = { schemas: true, ...exact, lenient: true } as const;
  const keys = new JsonConverter(form);
  const values = new JsonConverter(form);
  const headers = new HeaderReader(new JsonConverter(form));
  return {
    read(group, entry, to) {
      renderer.render(group, entry, (rendered) => {
        const { topic, bytes, keyStart, keyEnd, valueStart, valueEnd, transaction } = rendered;
        if (topic === options.historyTopic) {
          to.raw(topic, copyRecord(rendered));
          return;
        }
        const key = keys.toConnect(topic, part(bytes, keyStart, keyEnd));
        const value = values.toConnect(topic, part(bytes, valueStart, valueEnd));
        const record: ConnectRecord = {
          topic,
          partition: null,
          keySchema: key.schema,
          key: key.value,
          valueSchema: value.schema,
          value: value.value,
          timestamp: null,
          headers: headers.of(rendered),
        };
        to.record(record, transaction);
      });
    },
  };
}

/** A copy that lasts: the renderer's bytes are its own. */
export function copyRecord({ bytes, keyStart, keyEnd, valueStart, valueEnd, headers }: RenderedRecord): SerializedRecord {
  const [key, value] = [part(bytes, keyStart, keyEnd), part(bytes, valueStart, valueEnd)];
  return { key: key?.slice() ?? null, value: value?.slice() ?? null, headers };
}

function part(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  return end < 0 ? null : bytes.subarray(start, end);
}

/** The renderer gives records with equal headers the same array, which is read once. */
class HeaderReader {
  readonly #converter: JsonConverter;
  readonly #known = new WeakMap<readonly RecordHeader[], readonly ConnectHeader[]>();

  constructor(converter: JsonConverter) {
    this.#converter = converter;
  }

  of({ topic, headers }: RenderedRecord): readonly ConnectHeader[] {
    let known = this.#known.get(headers);
    if (known === undefined) {
      known = headers.map(({ name, value }) => ({ name, ...this.#converter.toConnect(`${topic} ${name}`, value) }));
      this.#known.set(headers, known);
    }
    return known;
  }
}
