import type { CommitGroup, Entry } from '../connect/commit-group.ts';
import type { ConnectHeader, ConnectRecord } from '../connect/record.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { createDebeziumRenderer, type RenderedRecord } from './debezium-renderer.ts';
import { JsonConverter } from './json-converter.ts';
import type { RecordHeader } from './record-headers.ts';

/** Given a record, and the index in the group's `transactions` of the one that it belongs to. */
export type EmitConnectRecord = (record: ConnectRecord, transaction: number | undefined) => void;

/** Makes Connect's records of a source's commit groups, in their order: for transformations and converters. */
export interface ConnectRecordReader {
  read(group: CommitGroup, entry: Entry, emit: EmitConnectRecord): void;
}

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
    decimalFormat: 'base64',
    replaceNullWithDefault: false,
    headerFormat: 'json-schemas',
  });
  const form = { schemas: true, decimalFormat: 'base64', replaceNullWithDefault: false, lenient: true } as const;
  const keys = new JsonConverter(form);
  const values = new JsonConverter(form);
  const headers = new HeaderReader(new JsonConverter(form));
  return {
    read(group, entry, emit) {
      renderer.render(group, entry, (rendered) => {
        const { topic, bytes, keyStart, keyEnd, valueStart, valueEnd, transaction } = rendered;
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
        emit(record, transaction);
      });
    },
  };
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
